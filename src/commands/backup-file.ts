/** A backup's file: its lines, compressed with zstd. */
import { createReadStream, createWriteStream, renameSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { constants, createZstdCompress, createZstdDecompress } from "node:zlib";
import { syncPath } from "../database/embedded/synced-folder";
import { readEnd, type TableCount } from "../database/transfer/backup";
import { Failure, failure, messageOf, quote } from "../errors";

/** The last line is no longer than this. */
const END_CHARACTERS = 16_384;

/**
 * Writes a backup beside its place, and puts it there once it is whole and on the disk; for its owner alone, since it holds
 * every text.
 * @returns what is in it
 * @throws Failure for a backup that is not whole
 */
export async function writeBackupFile(
  path: string,
  pieces: AsyncIterable<string>,
): Promise<readonly TableCount[]> {
  const partial = `${path}.partial`;
  let tail = "";
  const watched = async function* () {
    for await (const piece of pieces) {
      tail = (tail + piece).slice(-END_CHARACTERS);
      yield piece;
    }
  };
  rmSync(partial, { force: true });
  try {
    await pipeline(
      Readable.from(watched()),
      createZstdCompress({ params: { [constants.ZSTD_c_checksumFlag]: 1 } }),
      createWriteStream(partial, { mode: 0o600 }),
    );
    const end = readEnd(tail);
    if (typeof end === "string") throw failure.backup(end);
    syncPath(partial);
    renameSync(partial, path);
    syncPath(dirname(path));
    return end;
  } catch (error) {
    rmSync(partial, { force: true });
    if (error instanceof Failure) throw error;
    throw failure.backup(`the backup was not written, and ${quote(path)} is as it was (${messageOf(error)})`);
  }
}

/** The text of a backup's file. @throws Failure for one that can't be read or decompressed */
export async function* readBackupFile(path: string): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  const file = createReadStream(path);
  const decompress = createZstdDecompress();
  file.on("error", (error) => decompress.destroy(error));
  try {
    for await (const chunk of file.pipe(decompress)) yield decoder.decode(chunk, { stream: true });
  } catch (error) {
    throw failure.backup(
      `the file ${quote(path)} can't be read, is no backup, or was cut off (${messageOf(error)})`,
    );
  } finally {
    file.destroy();
  }
}
