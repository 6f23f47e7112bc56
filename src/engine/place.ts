/** What is at Ollama's address, and where the ollama program is: the looks before anything is started. */
import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { messageOf } from "../errors";
import { codeOf, isUnreachable } from "./client";

export type Occupant =
  | { kind: "nothing" }
  | { kind: "ollama" }
  /** A Corral: ours or another's; its instance id. */
  | { kind: "corral"; instance: string }
  /** Nobody can be asked: the machine is not found, or does not answer; why, in words. */
  | { kind: "unreachable"; what: string; isSilent: boolean }
  /** Something else, in words. */
  | { kind: "stranger"; what: string; isSilent: boolean };

/** The header in which a Corral names itself on its own answers. */
export const instanceHeader = "x-corral-instance";

/** Whether nothing was said: who was there may be there still, and busy, or a proxy in between begins anew. */
export function isSilent(found: Occupant): boolean {
  return "isSilent" in found && found.isSilent;
}

/** Asks who answers at an address, for at most `withinMs`. */
export async function occupant(address: string, withinMs = 2000): Promise<Occupant> {
  const url = new URL(address);
  try {
    const response = await fetch(`${address}/`, {
      redirect: "manual",
      signal: AbortSignal.timeout(withinMs),
    });
    const instance = response.headers.get(instanceHeader);
    const text = (await response.text()).slice(0, 200);
    if (instance) return { kind: "corral", instance };
    if (response.status === 200 && text.trim() === "Ollama is running") return { kind: "ollama" };
    const server = response.headers.get("server");
    return stranger(
      url,
      `answers HTTP ${response.status}${server ? ` as ${server}` : ""}, but is not Ollama`,
    );
  } catch (error) {
    if (isUnreachable(error)) return { kind: "nothing" };
    const code = codeOf(error);
    if (nowhere.has(code))
      return {
        kind: "unreachable",
        what: `${url.hostname} can't be reached (${messageOf(error)})`,
        isSilent: false,
      };
    if (error instanceof Error && error.name === "TimeoutError") {
      return isHere(url.hostname)
        ? stranger(url, "accepts connections, but does not answer", true)
        : { kind: "unreachable", what: `it does not answer within ${withinMs / 1000} s`, isSilent: true };
    }
    if (/ALTNAME/.test(code)) return stranger(url, `has a certificate for another name (${code})`);
    // Whoever signed it, it would not do.
    if (code === "CERT_HAS_EXPIRED") return stranger(url, `has a certificate that has expired (${code})`);
    if (code === "CERT_NOT_YET_VALID")
      return stranger(
        url,
        `has a certificate that is not valid yet (${code}): it may be a clock that is wrong`,
      );
    if (/CERT|UNABLE_TO_VERIFY/.test(code)) {
      const advice = "set NODE_EXTRA_CA_CERTS to a file with the certificate of whoever signed it";
      return stranger(url, `has a certificate that is not trusted here (${code}): ${advice}`);
    }
    return stranger(url, `does not speak HTTP (${code || "no answer"})`, code === "ECONNRESET");
  }
}

/** What was found, as the end of a sentence. */
export function sayOccupant(found: Occupant): string {
  if (found.kind === "nothing") return "nothing answers there";
  if (found.kind === "corral") return `a Corral answers there (instance ${found.instance})`;
  return found.kind === "ollama" ? "Ollama answers there" : found.what;
}

/** What the system says when there is no way to a machine at all. */
const nowhere: ReadonlySet<string> = new Set([
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EADDRNOTAVAIL",
  "FailedToOpenSocket",
]);

function stranger({ hostname, port, protocol }: URL, does: string, isSilent = false): Occupant {
  // Who holds a port is known of this machine alone.
  const holder = isHere(hostname) ? portHolder(Number(port || (protocol === "https:" ? 443 : 80))) : null;
  return { kind: "stranger", what: holder ? `${holder}, which ${does}` : `a program that ${does}`, isSilent };
}

function isHere(hostname: string): boolean {
  const bare = hostname.replace(/^\[|\]$/g, "");
  if (bare === "localhost" || bare.startsWith("127.") || bare === "::1") return true;
  return Object.values(networkInterfaces()).some((list) => list?.some((one) => one.address === bare));
}

/** The process that listens on a TCP port: `nginx (pid 123)`, or null where the system does not say (another user's). */
function portHolder(port: number): string | null {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const inodes = new Set<string>();
  for (const table of ["/proc/net/tcp", "/proc/net/tcp6"]) {
    for (const row of readOr(table).split("\n").slice(1)) {
      const fields = row.trim().split(/\s+/);
      if (fields[3] === "0A" && fields[1]?.endsWith(suffix) && fields[9]) inodes.add(`socket:[${fields[9]}]`);
    }
  }
  if (inodes.size === 0) return null;
  for (const pid of list("/proc").filter((name) => /^\d+$/.test(name))) {
    for (const file of list(`/proc/${pid}/fd`)) {
      if (inodes.has(link(`/proc/${pid}/fd/${file}`)))
        return `${readOr(`/proc/${pid}/comm`).trim()} (pid ${pid})`;
    }
  }
  return null;
}

const usualPlaces = [
  "/usr/local/bin/ollama",
  "/usr/bin/ollama",
  "/opt/homebrew/bin/ollama",
  "/Applications/Ollama.app/Contents/Resources/ollama",
];

/**
 * The ollama program's path, or why there is none.
 * @param given OLLAMA_BIN, or "" to look on the PATH and in the usual places
 */
export function findBinary(given: string, path: string | undefined): { found: string } | { missing: string } {
  if (given) {
    const found = Bun.which(given, path === undefined ? {} : { PATH: path });
    return found
      ? { found }
      : { missing: `OLLAMA_BIN is "${given}", and there is no program there: correct it, or unset it` };
  }
  const found = Bun.which("ollama", path === undefined ? {} : { PATH: path }) ?? usualPlaces.find(existsSync);
  if (found) return { found };
  return { missing: `there is no ollama program on this machine. ${howToGetOne()}` };
}

function howToGetOne(): string {
  const unit = ["/etc/systemd/system/ollama.service", "/usr/lib/systemd/system/ollama.service"].find(
    existsSync,
  );
  if (unit) {
    const host = /OLLAMA_HOST=([^"\s]+)/.exec(readOr(unit))?.[1];
    return `A systemd Ollama is set up here: run "systemctl start ollama" and start Corral with OLLAMA_URL=http://${host ?? "127.0.0.1:11434"}`;
  }
  return "Install it from https://ollama.com/download, name it with OLLAMA_BIN=/path/to/ollama, or use a running one with OLLAMA_URL=http://host:11434";
}

function readOr(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

function list(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

function link(path: string): string {
  try {
    return readlinkSync(join(path));
  } catch {
    return "";
  }
}
