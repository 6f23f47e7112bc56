/** What people talk about with a model: prompts, and the replies that belong to them. */

export type Kind = "writing" | "code" | "data" | "learning" | "languages" | "tickets";

export interface Topic {
  readonly kind: Kind;
  /** Words for the `{…}` in its texts that belong together; one of these is chosen a talk. */
  readonly cases: readonly Readonly<Record<string, string>>[];
  readonly prompts: readonly string[];
  /** A reply is an opening, some of the points, and a closing. */
  readonly openings: readonly string[];
  readonly points: readonly string[];
  readonly closings: readonly string[];
  readonly joined: "list" | "steps" | "paragraphs";
  /** What may be asked after that, with its reply. */
  readonly followUps: readonly (readonly [prompt: string, reply: string])[];
}

/** Words that any topic may use. */
export const commonWords = {
  team: ["support", "warehouse", "finance", "design", "field service", "product", "onboarding"],
  day: ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday"],
  time: ["9:30", "10:00", "11:15", "13:30", "14:00", "15:45"],
  count: ["three", "four", "five", "six"],
} as const;
