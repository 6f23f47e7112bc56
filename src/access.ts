/**
 * The admin key: what reads texts, changes or deletes needs it wherever others than this machine's users can call.
 * Inference, health and figures stay open there.
 */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { chmodSync, existsSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { failure, messageOf } from "./errors";
import { isOwnOrigin } from "./origins";
import { createSessions, type Session, withoutSession } from "./session";

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
  /** Whether a request with these headers, by its key or its session, may do what not everybody may. */
  allows(headers: Headers): boolean;
  /**
   * Begins a session for whoever shows the key itself: a session can't prolong itself.
   * @returns its Set-Cookie and its end; null where no key is needed
   * @throws Failure 401
   */
  begin(headers: Headers): Session | null;
  /** Takes the key and the session out of a request's headers, in whatever form they came: they are no business of Ollama's. */
  withhold(headers: Headers): void;
}

/** @param key null where everybody who can call may do everything: on loopback without a key of its own */
export function createAccess(key: string | null): Access {
  if (key === null) return { allows: () => true, begin: () => null, withhold: withholdSession };
  const right = digest(key);
  const sessions = createSessions(key);
  // Digests are of one length, so that the comparison takes the same time whatever was given.
  const isKey = (given: string | null) => given !== null && timingSafeEqual(digest(given), right);
  return {
    allows(headers) {
      if (isKey(bearerOf(headers))) return true;
      // Another page of this machine may call (origins.ts), and a browser sends our cookie along: that is not the
      // person who has the session. Asking without an Origin it can't read the answer.
      return isOwnOrigin(headers.get("origin"), headers.get("host")) && sessions.holds(headers.get("cookie"));
    },
    begin(headers) {
      const given = bearerOf(headers);
      if (!isKey(given)) throw failure.unauthorized(given !== null);
      return sessions.begin(headers.get("origin")?.startsWith("https:") ?? false);
    },
    withhold(headers) {
      withholdSession(headers);
      for (const [name, value] of [...headers]) if (value.includes(key)) headers.delete(name);
    },
  };
}

function bearerOf(headers: Headers): string | null {
  return /^Bearer +(\S+) *$/i.exec(headers.get("authorization") ?? "")?.[1] ?? null;
}

function withholdSession(headers: Headers): void {
  const cookies = headers.get("cookie");
  if (cookies === null) return;
  const others = withoutSession(cookies);
  if (others === null) headers.delete("cookie");
  else if (others !== cookies) headers.set("cookie", others);
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
