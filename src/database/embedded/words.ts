/** The lines between the embedded database's process and the server: one word, and what there is to say to it. */

const words = ["making", "ready", "closed", "failed"] as const;

/** making: a new database. ready: connections are taken. failed: why it ends. */
export type Word = (typeof words)[number];

/** The command's last word for a copy that nobody needs after this. */
export const PASSING = "passing";

const MARK = "corral-database";

/** Says a word to the parent. */
export function say(word: Word, text = ""): void {
  process.stdout.write(`${MARK} ${word} ${text.replace(/\s+/g, " ")}\n`);
}

/** What a line of the child's output says; null for a line that is not one of its words (PostgreSQL's own log). */
export function heard(line: string): { word: Word; text: string } | null {
  const [mark, said, ...rest] = line.split(" ");
  const word = words.find((one) => one === said);
  return mark === MARK && word ? { word, text: rest.join(" ").trim() } : null;
}
