/** Texts as PostgreSQL can hold them. */

/** Its text holds no U+0000, UTF-8 no lone surrogates, and models emit both: each becomes U+FFFD. */
export function storable<T extends string | null>(text: T): T | string {
  return text === null ? text : text.toWellFormed().replaceAll("\u0000", "\uFFFD");
}

/** Beyond this a name is none of a model's, and too long for an index. */
const LONGEST_MODEL = 400;

/** A model's name as every table has it. */
export function storableModel(model: string | null): string | null {
  const cut = model !== null && model.length > LONGEST_MODEL ? `${model.slice(0, LONGEST_MODEL)}…` : model;
  return storable(cut);
}
