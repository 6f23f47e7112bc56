/** What a request's headers tell of who asks, and of what may be kept. */
import type { Who } from "../engine/unfinished-pulls";

/** Longer is no name. */
const LONGEST = 200;

/** Who is behind the client: Open WebUI names its users, by whatever it was set to send. */
function userOf(headers: Headers): string | null {
  for (const name of ["email", "name", "id"]) {
    const user = headers.get(`x-openwebui-user-${name}`);
    if (user) return decoded(user).slice(0, LONGEST);
  }
  return null;
}

/** Who asks, as far as the connection and the headers tell. */
export function whoOf(headers: Headers, clientAddress: string | null): Who {
  return { clientAddress, userAgent: headers.get("user-agent"), user: userOf(headers) };
}

/** W3C's trace context, where it is one. */
export function traceparentOf(headers: Headers): string | null {
  const given = headers.get("traceparent");
  return given !== null &&
    /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}((?<!^00-.*)-.{0,100})?$/.test(
      given,
    )
    ? given
    : null;
}

/** Whether the client asks for its texts not to be kept. It can only ask for less than the settings keep. */
export function keepsNothing(headers: Headers): boolean {
  return headers.get("x-corral-content")?.trim().toLowerCase() === "none";
}

/** Open WebUI percent-encodes names. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
