/** Ids as this program writes them: UUIDs in lower case, with what they are of in front where people see them. */

/** Of a whole text. */
export const uuidPattern = "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$";

const uuid = new RegExp(uuidPattern);

export function isUuid(text: string): boolean {
  return uuid.test(text);
}

/** What a request's id has in front where people see it. */
export const requestPrefix = "req_";

/** The UUID in a request's id; null where it is none. */
export function requestUuid(id: string): string | null {
  const rest = id.startsWith(requestPrefix) ? id.slice(requestPrefix.length) : "";
  return isUuid(rest) ? rest : null;
}
