import type { Topic } from "./topic";

/** Everyday texts of an office. */
export const writing: readonly Topic[] = [
  {
    kind: "writing",
    cases: [
      { event: "the sprint review", reason: "two of us are at a customer's" },
      { event: "the stock count", reason: "the delivery comes a day later" },
      { event: "the budget meeting", reason: "the figures for October are not closed yet" },
      { event: "the safety training", reason: "the room is being painted" },
      { event: "the design walk-through", reason: "the prototype needs another day" },
    ],
    prompts: [
      "Write a short e-mail to the {team} team: {event} moves to {day} at {time}, because {reason}.",
      "I need to tell the {team} team that {event} is now on {day}, {time}. Reason: {reason}. Friendly, four sentences at most.",
      "E-mail please: {event} postponed to {day} {time} ({reason}). For the {team} team.",
    ],
    openings: [
      "Subject: New date for {event}: {day}, {time}\n\nHello everyone,\n\n{event} moves to {day} at {time}, because {reason}.",
      "Subject: {event} moves to {day}\n\nHi all,\n\na small change of plan: since {reason}, we meet for {event} on {day} at {time} instead.",
    ],
    points: [
      "The place stays the same, and the invitation in your calendar is updated already.",
      "If you can't make it, please send me your points before then and I will bring them along.",
      "The agenda does not change.",
      "I am sorry for the short notice.",
    ],
    closings: ["Thank you, and see you on {day}!", "Thanks for being flexible.", "Best regards"],
    joined: "paragraphs",
    followUps: [
      [
        "A bit shorter, please.",
        "Subject: {event}: now {day}, {time}\n\nHi all,\n\n{event} moves to {day} at {time}, because {reason}. Same place, same agenda.\n\nThank you!",
      ],
      [
        "Can you make it sound more formal?",
        "Subject: Change of date: {event}\n\nDear colleagues,\n\nplease note that {event} has been rescheduled to {day} at {time}, as {reason}. Place and agenda remain unchanged. We apologise for any inconvenience.\n\nKind regards",
      ],
    ],
  },
  {
    kind: "writing",
    cases: [
      {
        change: "search is faster",
        detail: "Results appear while you type",
        fixed: "exports with empty columns",
      },
      {
        change: "labels print in batches",
        detail: "Up to 200 go out at once",
        fixed: "a wrong page break on A5",
      },
      {
        change: "there is a dark theme",
        detail: "It follows the system's setting",
        fixed: "two unreadable buttons",
      },
      {
        change: "sign-in remembers the device",
        detail: "That lasts for 30 days",
        fixed: "a redirect that ran in circles",
      },
      {
        change: "reports can be scheduled",
        detail: "They come daily, weekly or on the 1st",
        fixed: "totals that were rounded twice",
      },
    ],
    prompts: [
      "Turn these notes into release notes for customers: {change}. {detail}. Fixed: {fixed}.",
      "Release notes, plain language, no marketing. New: {change} ({detail}). Fixed: {fixed}.",
    ],
    openings: [
      "**What is new**\n\nFrom today, {change}. {detail}.",
      "**New in this version**: {change}. {detail}.",
    ],
    points: [
      "Fixed: {fixed}.",
      "You don't have to do anything: the update comes by itself.",
      "If something looks odd after the update, reload the page once.",
      "The help pages describe the new part with pictures.",
    ],
    closings: ["Questions? Just answer this message.", "Thanks to everyone who reported this."],
    joined: "list",
    followUps: [
      ["One sentence for the app store?", "New: {change}. And we fixed {fixed}."],
      [
        "And a line for our internal channel.",
        "Released just now: {change}. Also fixed: {fixed}. Please tell support if customers ask.",
      ],
    ],
  },
  {
    kind: "writing",
    cases: [
      {
        role: "someone for the front desk",
        must: "calm on the phone",
        task: "greets visitors and sorts the post",
      },
      { role: "a data analyst", must: "good SQL", task: "builds the weekly reports and questions them" },
      {
        role: "a technician in field service",
        must: "a driving licence",
        task: "installs and repairs at customers'",
      },
      { role: "a technical writer", must: "clear sentences", task: "keeps the manuals short and true" },
    ],
    prompts: [
      "Draft a job ad: we look for {role}, who {task}. Must have: {must}. Part time is possible.",
      "Job ad for {role} please, friendly and honest, no buzzwords. The person {task}. Needs {must}.",
    ],
    openings: [
      "**We look for {role}**\n\nYou will be the person who {task}, in a team of {count}.",
      "**Join us**\n\nWe look for {role}: somebody who {task}.",
    ],
    points: [
      "What you bring: {must}, and the wish to do things properly.",
      "What you find here: a quiet place to work, people who help, and time to learn.",
      "Part time is possible; tell us what suits you.",
      "We answer every application within two weeks.",
      "You need no cover letter. A few lines on what you did last are enough.",
    ],
    closings: ["We look forward to hearing from you.", "Write to us, even if not every line fits."],
    joined: "list",
    followUps: [
      [
        "Which questions should we ask in the interview?",
        "1. What did you do on an ordinary day in your last job?\n2. When did something go wrong, and what did you change afterwards?\n3. How do you show that you have {must}?\n4. What do you need from the {team} team to work well?\n5. What would you like to ask us?",
      ],
    ],
  },
  {
    kind: "writing",
    cases: [
      { meeting: "planning", decision: "we start with the returns page", open: "who tests on tablets" },
      {
        meeting: "the supplier call",
        decision: "deliveries come twice a week",
        open: "the price for express",
      },
      { meeting: "the retrospective", decision: "no meetings before ten", open: "how we share on-call duty" },
      {
        meeting: "the kick-off",
        decision: "the pilot runs in one branch first",
        open: "when the second one follows",
      },
    ],
    prompts: [
      "Summarise my notes of {meeting} in five lines:\n\n- started {time}, all there but one\n- long talk about the order of things. Result: {decision}\n- {open}? not clear, needs somebody from {team}\n- the old list has {count} open points, nobody owns them\n- next time: {day}, same place, bring figures",
      "Minutes from these notes please. {meeting}; decided: {decision}; open: {open}; {count} old points without an owner; next on {day} at {time}.",
    ],
    openings: [
      "Minutes of {meeting}\n\n**Decided:** {decision}.",
      "**{meeting}, in short**\n\nThe main decision: {decision}.",
    ],
    points: [
      "**Open:** {open}. The {team} team is asked.",
      "**Old list:** {count} points have no owner; each is assigned or dropped by next time.",
      "**Next meeting:** {day} at {time}, same place.",
      "**To bring:** current figures.",
    ],
    closings: ["Please send corrections by tomorrow.", "Let me know if I should add names to the tasks."],
    joined: "list",
    followUps: [
      [
        "Turn that into a task list.",
        "- [ ] Put into practice: {decision}\n- [ ] Find out: {open} ({team})\n- [ ] Give each of the {count} old points an owner, or drop it\n- [ ] Prepare figures for {day}",
      ],
      [
        "What did we forget to decide?",
        "Two things stand out: nobody owns the {count} old points, and there is no date by which {open} must be clear.",
      ],
    ],
  },
  {
    kind: "writing",
    cases: [
      { trouble: "the parcel came damaged", offer: "a replacement today" },
      { trouble: "the invoice was sent twice", offer: "a credit note" },
      { trouble: "nobody called back for a week", offer: "a call tomorrow morning" },
      { trouble: "the device arrived without a charger", offer: "a charger by express" },
    ],
    prompts: [
      "A customer complains: {trouble}. Write an answer that apologises once and offers {offer}.",
      "Answer to a complaint ({trouble}). We offer {offer}. Warm, but no grovelling.",
    ],
    openings: [
      "Hello,\n\nthank you for telling us. I am sorry that {trouble}: that should not have happened.",
      "Hello,\n\nyou are right to be annoyed that {trouble}. I apologise.",
    ],
    points: [
      "To put it right you get {offer}. You don't have to send anything.",
      "I have looked at what went wrong and passed it on to our {team} team.",
      "If anything is still not right after that, answer this mail: it comes to me directly.",
    ],
    closings: ["Kind regards", "Thank you for your patience."],
    joined: "paragraphs",
    followUps: [
      [
        "Shorter.",
        "Hello,\n\nI am sorry that {trouble}. You get {offer}; there is nothing you need to do.\n\nKind regards",
      ],
    ],
  },
];
