/** The nearest right word for a wrong one, as people misspell them. */

/** " (did you mean X?)" for the nearest of the known names, or nothing when none is near. */
export function suggestion(name: string, known: readonly string[]): string {
  const ranked = known
    .map((candidate) => ({ candidate, far: distance(name, candidate) }))
    .sort((a, b) => a.far - b.far);
  const nearest = ranked[0];
  return nearest && nearest.far <= Math.max(3, name.length / 3)
    ? ` (did you mean ${nearest.candidate}?)`
    : "";
}

/** Levenshtein's distance. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
