/** A person's talk with a model: what is asked, turn by turn, and what is answered. */
import type { Chance } from "./chance";
import { code } from "./topics/code";
import { data } from "./topics/data";
import { languages } from "./topics/languages";
import { learning } from "./topics/learning";
import { tickets } from "./topics/tickets";
import { commonWords, type Kind, type Topic } from "./topics/topic";
import { writing } from "./topics/writing";

export interface Exchange {
  readonly prompt: string;
  readonly reply: string;
  /** What a model that thinks would think before it answers. */
  readonly thinking: string;
}

const topics: readonly Topic[] = [writing, learning, languages, code, data, tickets].flat();

/** So many exchanges, on as many topics as that takes. */
export function makeTalk(chance: Chance, kinds: readonly Kind[], turns: number): Exchange[] {
  const talk: Exchange[] = [];
  while (talk.length < turns) talk.push(...onOneTopic(chance, kinds, turns - talk.length));
  return talk;
}

function onOneTopic(chance: Chance, kinds: readonly Kind[], most: number): Exchange[] {
  const topic = chance.pick(topics.filter((one) => kinds.includes(one.kind)));
  const words: Record<string, string> = { ...chance.pick(topic.cases) };
  for (const [name, values] of Object.entries(commonWords)) words[name] = chance.pick(values);
  const asked: (readonly [string, string])[] = [
    [chance.pick(topic.prompts), makeReply(chance, topic)],
    ...chance.some(topic.followUps, chance.between(0, most - 1)),
  ];
  return asked.map(([prompt, reply]) => ({
    prompt: fill(prompt, words),
    reply: fill(reply, words),
    thinking: makeThoughts(chance, topic),
  }));
}

function makeReply(chance: Chance, topic: Topic): string {
  const count = Math.max(1, Math.round(chance.logNormal(topic.points.length * 0.8, 0.5)));
  const points = chance.some(topic.points, count).map((point, at) => {
    if (topic.joined === "paragraphs") return point;
    return topic.joined === "list" ? `- ${point}` : `${at + 1}. ${point}`;
  });
  const middle = points.join(topic.joined === "paragraphs" ? "\n\n" : "\n");
  return [chance.pick(topic.openings), middle, chance.pick(topic.closings)]
    .filter((part) => part !== "")
    .join("\n\n");
}

const firstThoughts = [
  "The user wants something that can be used at once.",
  "Let me see what is really asked here.",
  "This is a practical question, so the answer should be practical, too.",
  "Okay, what does the user know already? Probably the basics.",
];
const laterThoughts = [
  "I should not explain more than was asked.",
  "There are several ways to do it. The simplest one that works is the best here.",
  "Wait, is there a case in which that would be wrong? At the edges perhaps. I will mention the important one.",
  "The order matters: the main thing first, then what to watch out for.",
  "I could add an example, but the answer would get long. Better to offer it.",
  "The tone should be friendly and plain.",
  "Let me check that once more from the beginning. Yes, that holds.",
];
const lastThoughts: Readonly<Record<Topic["joined"], string>> = {
  list: "A short list will do.",
  steps: "Numbered steps are easiest to follow.",
  paragraphs: "I will write it in a few short paragraphs.",
};

function makeThoughts(chance: Chance, topic: Topic): string {
  const count = Math.round(chance.logNormal(2.5, 0.6));
  return [chance.pick(firstThoughts), ...chance.some(laterThoughts, count), lastThoughts[topic.joined]].join(
    " ",
  );
}

/** Puts words in; one that begins a sentence or an item gets its capital. */
function fill(text: string, words: Readonly<Record<string, string>>): string {
  const once = (given: string) =>
    given.replace(/\{([a-z]+)\}/g, (whole, name: string, at: number) => {
      const word = words[name];
      if (word === undefined) return whole;
      return /(^|[.!?] |\n\n|\n- |^\*\*|^Subject: )$/.test(given.slice(0, at))
        ? word.charAt(0).toUpperCase() + word.slice(1)
        : word;
    });
  // Twice, since a case's own words may hold common ones.
  return once(once(text));
}
