/** Which program this is. */
import pkg from "../package.json";
import { readCommit } from "./version.macro" with { type: "macro" };

export const version = pkg.version;

/** With the commit it was made of, where that is known: "0.1.0 (80126dd)". */
export function sayVersion(): string {
  const commit = readCommit();
  return commit === "" ? version : `${version} (${commit})`;
}
