/** How this program starts itself once more, as another command: from source or from the single binary. */

/** Whether this is the single binary. (import.meta.url does not tell: with --bytecode it is the source's.) */
const isCompiled = Bun.isStandaloneExecutable;

/** The command line that runs `corral ...words`. */
export function selfCommand(...words: string[]): string[] {
  return isCompiled ? [process.execPath, ...words] : [process.execPath, Bun.main, ...words];
}
