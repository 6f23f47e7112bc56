/**
 * The admin key: what reads texts, changes or deletes needs it wherever others than this machine's users can call.
 * Inference, health and figures stay open there.
 */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { chmodSync, existsSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { failure, messageOf } from "./errors";

/** What a request does that not everybody may. */
export const uses = ["reads texts", "changes", "deletes"] as const;
export type Use = (typeof uses)[number];

export interface AdminKey {
  readonly key: string;
  /** `made`: just now, and nobody has seen it yet. */
  readonly source: "setting" | "kept" | "made";
  /** Keeps one that was made: when it is certain that it can be said. @throws Failure `folder_unusable` */
  keep(): void;
}

/**
 * The key kept in a file, 0600; made where there is none.
 * @throws Failure `folder_unusable` for a file that can't be read, or holds no key
 */
export function keptAdminKey(path: string): AdminKey {
  const trying = <T>(work: () => T): T => {
    try {
      return work();
    } catch (error) {
      throw failure.start(
        "folder_unusable",
        `the admin key in ${path} can't be had (${messageOf(error)}): delete the file to have a new one made, or set CORRAL_ADMIN_KEY`,
      );
    }
  };
  if (existsSync(path)) return trying(() => ({ key: readKey(path), source: "kept", keep: () => undefined }));
  // A prefix by which scanners for leaked secrets can know it.
  const key = `corral_${randomBytes(32).toString("base64url")}`;
  return {
    key,
    source: "made",
    keep: () =>
      trying(() => {
        writeFileSync(`${path}.new`, `${key}\n`, { mode: 0o600 });
        renameSync(`${path}.new`, path);
      }),
  };
}

function readKey(path: string): string {
  const key = readFileSync(path, "utf8").trim();
  if (!/^[\x21-\x7e]{16,}$/.test(key)) throw new Error("it holds no key of 16 or more characters");
  // It may have been copied here, or restored from a backup; a secret that was mounted is another user's.
  if (statSync(path).uid === process.getuid?.()) chmodSync(path, 0o600);
  return key;
}

export interface Access {
  /** Whether a request with this Authorization may do what not everybody may. */
  allows(authorization: string | null): boolean;
  /** Takes the key out of a request's headers, in whatever form it came: it is no business of Ollama's. */
  withhold(headers: Headers): void;
}

/** @param key null where everybody who can call may do everything: on loopback without a key of its own */
export function createAccess(key: string | null): Access {
  const right = key === null ? null : digest(key);
  return {
    allows(authorization) {
      if (right === null) return true;
      const given = /^Bearer +(\S+) *$/i.exec(authorization ?? "")?.[1];
      // Digests are of one length, so that the comparison takes the same time whatever was given.
      return given !== undefined && timingSafeEqual(digest(given), right);
    },
    withhold(headers) {
      if (key === null) return;
      for (const [name, value] of [...headers]) if (value.includes(key)) headers.delete(name);
    },
  };
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
