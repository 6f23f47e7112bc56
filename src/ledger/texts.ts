/** Texts as PostgreSQL can hold them. */

/** Its text holds no U+0000, UTF-8 no lone surrogates, and models emit both: each becomes U+FFFD. */
export function storable<T extends string | null>(text: T): T | string {
  return text === null ? text : text.toWellFormed().replaceAll("\u0000", "\uFFFD");
}
