/**
 * The program: from the command line to a command. Each command is loaded when it is called: the embedded database's
 * process needs nothing of the server.
 */
import { Command, Option } from "commander";
import { fail, run } from "./commands/run";
import { describeSettings, readSettings, type Settings } from "./settings";
import { suggestion } from "./suggestion";
import { sayVersion } from "./version";

/** As grep, curl and the rest have it: the words make no sense, nothing was tried. */
const WRONG_USAGE = 2;

const program = new Command("corral")
  .description("Puts one port, a true record and supervision in front of Ollama")
  .version(`corral ${sayVersion()}`, "-v, --version", "say the version and the commit")
  .helpOption("-h, --help", "say what there is")
  .helpCommand("help [command]", "say what a command takes")
  .addHelpText("after", "\nEvery setting: corral server --help. Without a command it is `corral server`.")
  .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, "corral: ")) })
  .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : WRONG_USAGE))
  // A simulator's words are its own: it is called as Ollama is.
  .enablePositionalOptions();

withSettings(
  program.command("server", { isDefault: true }).description("start Ollama and serve"),
  (settings) =>
    run(async () => {
      const { startServer } = await import("./commands/server");
      return startServer({ settings, environment: process.env, say });
    }),
);
withSettings(
  program
    .command("demo")
    .description("serve without Ollama: on the simulator, with a made-up history, in a folder of its own"),
  (settings) =>
    run(async () => {
      const { startDemo } = await import("./commands/demo");
      return startDemo({ settings, environment: process.env, say });
    }),
);
withSettings(
  program
    .command("health")
    .description("ask the server that runs with these settings how it is; 1 when none answers"),
  async (settings) => (await import("./commands/health")).health(settings),
);
withSettings(
  program
    .command("backup")
    .argument("<file>", "to write, or to write over")
    .description("back up everything that is kept to a file, while the server runs or not"),
  async (settings, [file = ""]) => (await import("./commands/backup")).backup(settings, file),
);
withSettings(
  program
    .command("restore")
    .argument("<file>", "that corral backup wrote")
    .description("restore a backup into an empty database, while the server runs or not"),
  async (settings, [file = ""]) => (await import("./commands/restore")).restore(settings, file),
);
withSettings(
  program
    .command("move")
    .argument("[url]", "of the PostgreSQL database; DATABASE_URL, which others don't see, when absent")
    .description("copy everything from the embedded database to a PostgreSQL server, and compare both"),
  async (settings, [url = ""]) => (await import("./commands/move")).move(settings, url),
);
withSettings(
  program
    .command("sql")
    .argument("[statement]", "a SELECT; stdin, or a prompt, when absent")
    .description("ask the embedded database, read-only"),
  async (settings, [statement = ""]) => (await import("./commands/sql")).sql(settings, statement),
);
program
  .command("simulator")
  .argument("[words...]", "what Ollama takes, such as serve")
  .description("a stand-in for Ollama, to try Corral without one")
  .helpOption(false)
  .allowUnknownOption()
  .passThroughOptions()
  .action(async (words: string[]) => (await import("./commands/simulator")).simulator(words));
program
  .command("version")
  .description("say the version and the commit")
  .action(() => console.log(`corral ${sayVersion()}`));
program
  .command("database <folder> <socket> [kind]", { hidden: true })
  .description("the embedded database's process, started by the server")
  .action(async (folder: string, socket: string, kind?: string) =>
    (await import("./commands/database")).database(folder, socket, kind),
  );

/** Bun's fetch sends requests to loopback through HTTP_PROXY, too, where Ollama is not (tried on 1.4.4). */
function reachLoopbackDirectly(): void {
  const variable = process.env.no_proxy !== undefined ? "no_proxy" : "NO_PROXY";
  const present = process.env[variable];
  process.env[variable] = [...(present ? [present] : []), "127.0.0.1", "localhost", "[::1]", "::1"].join(",");
}

function say(line: string): void {
  console.log(line);
}

/** Gives a command a flag for each setting, and hands it the settings as they were read, and its arguments. */
function withSettings(
  command: Command,
  act: (settings: Settings, words: readonly string[]) => Promise<void>,
): void {
  const rows = describeSettings().map((row) => {
    const about = `${row.description} [${row.variables}${row.default === "" ? "" : `; ${row.default}`}]`;
    return { ...row, option: new Option(`--${row.flag} <value>`, about).hideHelp(row.isSecret) };
  });
  for (const { option } of rows) command.addOption(option);
  const secrets = rows.filter((row) => row.isSecret).map((row) => row.variables);
  command.addHelpText("after", `\nFrom the environment alone: ${secrets.join(", ")}.`).action(async () => {
    const flags: Record<string, string> = {};
    for (const { flag, option, isSecret, variables } of rows) {
      const value: unknown = command.getOptionValue(option.attributeName());
      if (typeof value !== "string") continue;
      if (isSecret)
        command.error(
          `error: --${flag} would be seen by every user of this machine: set ${variables} in the environment`,
        );
      flags[flag] = value;
    }
    try {
      await act(readSettings(process.env, flags), command.args);
    } catch (error) {
      return fail(error);
    }
  });
}

reachLoopbackDirectly();
const words = process.argv.slice(2);
const [first = "", second = ""] = words;
const commands = [...program.commands.map((command) => command.name()), "help"];
if (first !== "" && !first.startsWith("-") && !commands.includes(first)) {
  program.error(`corral: "${first}" is not a command${suggestion(first, commands)}: see corral --help`);
}
if (first === "help" && second !== "" && !commands.includes(second))
  program.error(`corral: "${second}" is not a command${suggestion(second, commands)}: see corral --help`);
// So that a misspelt --prot=8001 is known for what it is, and its value, which may be a secret, is not shown.
const isOurs = !["simulator", "database"].includes(first);
const parted = words.flatMap((word) =>
  isOurs ? (/^(--[\w-]+)=(.*)$/s.exec(word)?.slice(1) ?? [word]) : [word],
);
program.parseAsync(parted, { from: "user" }).catch(fail);
