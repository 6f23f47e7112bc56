import type { Topic } from "./topic";

/** Things that people want explained. */
export const learning: readonly Topic[] = [
  {
    kind: "learning",
    cases: [
      {
        thing: "quantum computing",
        what: "computes with qubits, which can be in a mixture of 0 and 1 until they are measured",
        why: "some problems, such as simulating molecules or factoring numbers, need far fewer steps that way",
        limit: "today's machines make many errors, and for ordinary work they are no faster",
      },
      {
        thing: "a vaccine",
        what: "shows the body a harmless part of a germ, so that it learns to recognise it",
        why: "the real germ is then met by a defence that is ready, and the illness is mild or never begins",
        limit: "protection fades with time, and germs that change quickly need new versions",
      },
      {
        thing: "a heat pump",
        what: "moves heat from outside to inside, like a refrigerator that is turned around",
        why: "one unit of electricity brings three or four units of heat into the house",
        limit: "the colder it is outside, the harder it has to work, so the house should be insulated",
      },
      {
        thing: "inflation",
        what: "is a general rise of prices: the same money buys less than a year before",
        why: "a little of it keeps money moving; too much makes plans and savings worth little",
        limit: "one number can't say how it feels, since everybody buys different things",
      },
      {
        thing: "a neural network",
        what: "is a long chain of simple sums whose weights are adjusted until the result fits many examples",
        why: "it finds patterns that nobody could write down as rules",
        limit: "it knows only what is like its examples, and can't say how sure it is",
      },
    ],
    prompts: [
      "Explain {thing} to me as if I had never heard of it.",
      "What is {thing}? A few short paragraphs, please.",
      "How does {thing} work, and where are the limits?",
      "Explain {thing}",
    ],
    openings: ["In one sentence: {thing} {what}.", "{thing} {what}."],
    points: [
      "That matters, because {why}.",
      "It has limits, too: {limit}.",
      "A good way to think of it is to ask what would be needed without it, and how long that would take.",
      "People often confuse the idea with the machinery around it. The idea is simple; the machinery is where the work goes.",
      "If you read only one more thing about it, read about its mistakes: they show best how it works.",
    ],
    closings: ["Shall I go deeper into one of these points?", "That is the core of it."],
    joined: "paragraphs",
    followUps: [
      ["Can you say that in two sentences?", "{thing} {what}. That is useful, because {why}."],
      ["What are the limits?", "Mainly this: {limit}. For most decisions that is the point to keep in mind."],
    ],
  },
  {
    kind: "learning",
    cases: [
      {
        one: "TCP",
        other: "UDP",
        difference: "TCP repeats what gets lost and keeps the order; UDP just sends",
        choose: "TCP for pages and files, UDP for calls and games",
      },
      {
        one: "HTTP/1.1",
        other: "HTTP/2",
        difference: "HTTP/2 carries many requests at once over one connection",
        choose: "HTTP/2 in browsers, either between two servers",
      },
      {
        one: "a process",
        other: "a thread",
        difference: "a process has memory of its own; threads share it",
        choose: "processes for safety, threads for shared work",
      },
      {
        one: "a backup",
        other: "a replica",
        difference: "a replica copies mistakes within a second; a backup remembers how it was",
        choose: "both: a replica against broken machines, a backup against broken people",
      },
      {
        one: "authentication",
        other: "authorisation",
        difference: "the first asks who you are, the second what you may do",
        choose: "nothing to choose: the second needs the first",
      },
    ],
    prompts: [
      "What is the difference between {one} and {other}?",
      "{one} or {other}? When do I take which?",
      "Explain {one} and {other} to a new colleague.",
    ],
    openings: ["The short answer: {difference}.", "{one} and {other} are often mixed up. {difference}."],
    points: [
      "Rule of thumb: {choose}.",
      "Start with the one that fails in a way you can live with.",
      "If you can't tell which one you have, look at what happens when the network is cut for a second.",
      "Measure before you switch: the difference is often smaller than the books say.",
      "You can begin with {one} and change later, as long as one place in the program decides it.",
    ],
    closings: ["Which of the two are you using now?", "Hope that helps!"],
    joined: "list",
    followUps: [
      [
        "Give me an example.",
        "Imagine a system that loses its network for a second. With {one} and {other} you see two different things happen, because {difference}. So: {choose}.",
      ],
    ],
  },
  {
    kind: "learning",
    cases: [
      { place: "our first team day", limits: "20 people, no budget to speak of, rain is possible" },
      {
        place: "a workshop on customer interviews",
        limits: "two hours, eight people, none has done it before",
      },
      { place: "a farewell party", limits: "after work, in the office, thirty people" },
      { place: "an open day", limits: "one Saturday, families with children" },
    ],
    prompts: [
      "Help me plan {place}: {limits}. Give me a plan with times.",
      "Ideas for {place}? Limits: {limits}.",
    ],
    openings: [
      "Here is a plan for {place} that fits ({limits}).",
      "With these limits ({limits}) I would keep {place} simple.",
    ],
    points: [
      "Begin at {time} with something that everybody can join late.",
      "Work in groups of {count}, mixed across teams.",
      "Plan one thing for bad weather, and one for when you run out of time.",
      "Give one person the clock and nothing else to do.",
      "Leave half an hour at the end free; it fills by itself.",
      "Ask the {team} team who needs quiet, a ramp or other food.",
    ],
    closings: ["Tell me which part matters most and I will work it out.", "Want this as a table?"],
    joined: "steps",
    followUps: [
      [
        "As a table, please.",
        "| When | What | Who |\n|---|---|---|\n| {time} | Arrive, coffee | all |\n| + 30 min | Groups of {count} | all |\n| + 90 min | Show results | one of each group |\n| + 120 min | Open end | who likes |",
      ],
      [
        "What could go wrong?",
        "Most likely: people come late, the room is too small for groups of {count}, and nobody has the clock. Each is solved by one person who is in charge of it from the beginning.",
      ],
    ],
  },
  {
    kind: "learning",
    cases: [
      { subject: "writing good bug reports", first: "what you did, what you saw, what you expected" },
      {
        subject: "handing over on-call duty",
        first: "what is broken now, what was tried, what to leave alone",
      },
      {
        subject: "reviewing code kindly",
        first: "say what is good, ask before you judge, separate taste from fault",
      },
      {
        subject: "keeping a shared inbox",
        first: "one owner a message, an answer within a day, no message twice",
      },
    ],
    prompts: [
      "Write the first version of our handbook page on {subject}. Detailed, about two pages, with headings.",
      "We need a long guide on {subject} for new people. Please be thorough.",
    ],
    openings: [
      "# A guide to {subject}\n\nThis page is for everybody who is new. The heart of it: {first}. All that follows makes that easy to do when there is little time.",
      "# {subject}\n\nIn one line: {first}. The rest of this page says how, and why.",
    ],
    points: [
      "## Why it matters\n\nMost of our lost hours are not spent on hard problems. They are spent on finding out what somebody else knew already. A few sentences at the right moment save a morning, and they are the cheapest improvement that there is.",
      "## Before you start\n\nTake two minutes and look whether somebody did it before you. Search for the words that a person would use who has the same problem, not for ours. If you find something close, add to it instead of starting anew.",
      "## How to do it\n\nWrite for a person who is tired and has a phone in the other hand. Short sentences. One thought each. Put the most important thing first, so that reading can end anywhere. Name things by the names that stand on the screen.",
      "## What to leave out\n\nGuesses that you have not checked, unless you say that they are guesses. Blame. Screenshots of text. Everything that is true of every case, and so says nothing about this one.",
      '## An example\n\nGood: "On {day} at {time} the export stopped at row 400. I tried twice. Expected: 1,200 rows. The {team} team needs it by noon." Bad: "Export is broken again, please fix asap." The first can be acted on; the second begins a conversation.',
      "## When it goes wrong\n\nIt will. Then write down what happened in the order in which it happened, without adjectives. Look for the first moment at which something could have been noticed, and change that one thing.",
      '## Checklist\n\n- {first}\n- Names and times instead of "sometimes" and "somebody"\n- One owner\n- A next step with a date',
    ],
    closings: [
      "## Keeping this page\n\nWhoever finds a mistake here changes it. No approval needed.",
      "## Questions\n\nAsk in the {team} channel; whoever answers adds the answer here.",
    ],
    joined: "paragraphs",
    followUps: [
      ["Give me the checklist only.", "- {first}\n- Names and times\n- One owner\n- A next step with a date"],
    ],
  },
];
