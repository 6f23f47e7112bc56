/**
 * Sessions of the page: the admin key, once it was shown, traded for a cookie. The cookie holds until when it is good
 * and a proof of that made with the key: it tells nobody the key, needs no place to be kept, outlives a restart, and
 * another key ends it.
 */
import { createHmac, timingSafeEqual } from "node:crypto";

const cookieName = "corral_session";
const SESSION_MS = 7 * 86_400_000;

export interface Session {
  /** The Set-Cookie. */
  readonly cookie: string;
  readonly endsAt: Date;
}

export interface Sessions {
  /** @param isTls whether the browser came by https */
  begin(isTls: boolean): Session;
  /** Whether a Cookie header holds a session that has not ended. */
  holds(cookies: string | null): boolean;
}

/** @param now milliseconds since 1970 */
export function createSessions(key: string, now: () => number = Date.now): Sessions {
  const proofOf = (end: string) =>
    createHmac("sha256", key).update(`corral session ${end}`).digest("base64url");
  return {
    begin(isTls) {
      const endsAt = new Date(now() + SESSION_MS);
      const end = String(endsAt.getTime());
      return { cookie: cookieOf(`${end}.${proofOf(end)}`, SESSION_MS / 1000, isTls), endsAt };
    },
    holds(cookies) {
      const [end = "", proof = ""] = valueIn(cookies ?? "").split(".");
      const right = Buffer.from(proofOf(end));
      const given = Buffer.from(proof);
      return given.length === right.length && timingSafeEqual(given, right) && Number(end) > now();
    },
  };
}

/** The Set-Cookie that takes a session's cookie from the browser. */
export function endedSession(): string {
  return cookieOf("", 0, false);
}

/** A Cookie header without ours, which is no business of Ollama's; null when nothing is left. */
export function withoutSession(cookies: string): string | null {
  return (
    partsOf(cookies)
      .filter((part) => !part.startsWith(`${cookieName}=`))
      .join("; ") || null
  );
}

function cookieOf(value: string, seconds: number, isTls: boolean): string {
  return `${cookieName}=${value}; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Strict${isTls ? "; Secure" : ""}`;
}

function valueIn(cookies: string): string {
  const found = partsOf(cookies).find((part) => part.startsWith(`${cookieName}=`));
  return found?.slice(cookieName.length + 1) ?? "";
}

function partsOf(cookies: string): string[] {
  return cookies.split(";").map((part) => part.trim());
}
