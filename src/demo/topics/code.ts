import type { Topic } from "./topic";

/** What programmers ask from their editors. */
export const code: readonly Topic[] = [
  {
    kind: "code",
    cases: [
      {
        name: "chunk",
        keyword: "function",
        does: "splits an array into parts of a given size",
        signature: "<T>(values: readonly T[], size: number): T[][]",
        body: "  const parts: T[][] = [];\n  for (let at = 0; at < values.length; at += size) parts.push(values.slice(at, at + size));\n  return parts;",
        edge: "a size of 0 would loop for ever, so refuse it",
        check: "expect(chunk([1, 2, 3], 2)).toEqual([[1, 2], [3]]);",
      },
      {
        name: "groupBy",
        keyword: "function",
        does: "groups values by a key",
        signature: "<T>(values: readonly T[], keyOf: (value: T) => string): Map<string, T[]>",
        body: "  const groups = new Map<string, T[]>();\n  for (const value of values) {\n    const key = keyOf(value);\n    const group = groups.get(key);\n    if (group) group.push(value);\n    else groups.set(key, [value]);\n  }\n  return groups;",
        edge: "a Map keeps the order of first sight, an object would not for digits",
        check: 'expect(groupBy(["a", "bb"], (word) => String(word.length)).get("2")).toEqual(["bb"]);',
      },
      {
        name: "retry",
        keyword: "async function",
        does: "tries an asynchronous function again when it fails",
        signature: "<T>(work: () => Promise<T>, times: number): Promise<T>",
        body: "  for (let attempt = 1; ; attempt++) {\n    try {\n      return await work();\n    } catch (error) {\n      if (attempt >= times) throw error;\n      await new Promise((resolve) => setTimeout(resolve, 2 ** attempt * 100));\n    }\n  }",
        edge: "retry only what may be done twice",
        check: "expect(await retry(async () => 7, 3)).toBe(7);",
      },
      {
        name: "clamp",
        keyword: "function",
        does: "keeps a number between two limits",
        signature: "(value: number, low: number, high: number): number",
        body: "  return Math.min(Math.max(value, low), high);",
        edge: "NaN stays NaN",
        check: "expect(clamp(12, 0, 10)).toBe(10);",
      },
      {
        name: "slug",
        keyword: "function",
        does: "turns a title into a part of a URL",
        signature: "(title: string): string",
        body: '  return title\n    .normalize("NFKD")\n    .toLowerCase()\n    .replace(/[^a-z0-9]+/g, "-")\n    .replace(/^-|-$/g, "");',
        edge: "two titles may get the same slug, so keep the id in the URL as well",
        check: 'expect(slug("Hello, World!")).toBe("hello-world");',
      },
    ],
    prompts: [
      "Write a TypeScript function `{name}` that {does}.",
      "TypeScript: a function that {does}. Call it {name}, strict types, no libraries.",
      "I need `{name}{signature}`: it {does}. Only the code and one remark.",
    ],
    openings: [
      "```ts\n/** {name} {does}. */\nexport {keyword} {name}{signature} {\n{body}\n}\n```",
      "```ts\nexport {keyword} {name}{signature} {\n{body}\n}\n```",
    ],
    points: [
      "One thing to watch: {edge}.",
      "It does not change its arguments.",
      "The types are checked at compile time only; data from outside still needs a check.",
      "It takes linear time, so long inputs are fine.",
    ],
    closings: [""],
    joined: "paragraphs",
    followUps: [
      [
        "And a test for it, with bun test.",
        '```ts\nimport { expect, test } from "bun:test";\nimport { {name} } from "./{name}";\n\ntest("{name} {does}", async () => {\n  {check}\n});\n```',
      ],
      [
        "Why is that the right way?",
        "Because it does one thing and says so in its name: it {does}. The only trap: {edge}.",
      ],
    ],
  },
  {
    kind: "code",
    cases: [
      {
        error: "TypeError: Cannot read properties of undefined (reading 'length')",
        cause: "the value is missing on that path, most often because a request has not finished yet",
        fix: "check it where it comes in, and give it a default there",
      },
      {
        error: "ECONNREFUSED 127.0.0.1:5432",
        cause: "nothing listens on that port: PostgreSQL is not running, or runs in another container",
        fix: "start it, or use the service's name instead of 127.0.0.1 inside containers",
      },
      {
        error: "Module not found: Can't resolve './Button'",
        cause: "the file is called button.tsx, and the build machine tells upper from lower case",
        fix: "rename the file to match the import exactly",
      },
      {
        error: "deadlock detected",
        cause: "two transactions lock the same rows in a different order",
        fix: "lock in one fixed order, for instance by id, and try the loser again",
      },
      {
        error: "CORS policy: No 'Access-Control-Allow-Origin' header is present",
        cause: "the page and the API have different origins, and the API does not allow the page's",
        fix: "add the page's origin to the API's list; don't answer with a star where cookies are involved",
      },
    ],
    prompts: [
      "What does this mean and how do I fix it?\n\n```\n{error}\n```",
      "I get `{error}` since this morning. Nothing changed on our side, I think. Ideas?",
      "Explain this error: {error}",
    ],
    openings: ["It means that {cause}.", "Most likely {cause}."],
    points: [
      "The fix: {fix}.",
      "To be sure, reproduce it once with the log level at debug and look at the lines just before it.",
      "If it comes and goes, look for two things that run at the same time.",
      "Write a test that fails in this way before you change anything.",
      "Look at what was deployed in the hour before it began, including settings.",
    ],
    closings: [
      "If that is not it, send me the lines around it.",
      "Paste the code and I will point at the line.",
    ],
    joined: "steps",
    followUps: [
      [
        "That was it, thank you! How do we keep it from coming back?",
        "Two steps: {fix}, and add a test that fails without it. Then it can only come back loudly.",
      ],
      [
        "It still happens.",
        "Then look one step earlier. {cause} is what you see; ask what made it so. Print the inputs at the border of the module and compare a good run with a bad one.",
      ],
    ],
  },
  {
    kind: "code",
    cases: [
      {
        task: "undo the last commit but keep the changes",
        command: "git reset --soft HEAD~1",
        note: "Only while it has not been pushed.",
      },
      {
        task: "find out who changed a line and why",
        command: "git log -L 40,60:src/app.ts",
        note: "It follows the lines through renames of variables around them.",
      },
      {
        task: "move a commit to another branch",
        command: "git switch other && git cherry-pick abc1234",
        note: "Then drop it on the first branch with an interactive rebase.",
      },
      {
        task: "delete branches that are merged",
        command: "git branch --merged main | grep -v main | xargs git branch -d",
        note: "A small -d refuses what is not merged, so nothing is lost.",
      },
      {
        task: "find the commit that broke a test",
        command: "git bisect run bun test test/orders.test.ts",
        note: "Start with git bisect start, bad and good.",
      },
    ],
    prompts: ["How do I {task} in git?", "git: {task}?"],
    openings: ["```sh\n{command}\n```", "To {task}:\n\n```sh\n{command}\n```"],
    points: [
      "{note}",
      "Look at `git status` before and after.",
      "`git reflog` brings you back if it was not what you wanted.",
    ],
    closings: [""],
    joined: "paragraphs",
    followUps: [
      [
        "And if I had pushed already?",
        "Then don't rewrite it: others have it. Make a new commit that undoes it with `git revert`, and tell the {team} team.",
      ],
    ],
  },
  {
    kind: "code",
    cases: [
      {
        snippet:
          'for (let i = 0; i < users.length; i++) {\n  const orders = await db.query("select * from orders where user_id = " + users[i].id);\n  users[i].orders = orders;\n}',
        first: "one query for each user: ask once with `where user_id = any($1)` and group the rows",
        second: "the id is pasted into the SQL: use a parameter",
      },
      {
        snippet: "try {\n  save(order);\n} catch (e) {\n  // ignore\n}",
        first: "the error disappears, and with it the order: let it rise, or log it and answer with an error",
        second: "`save` may be asynchronous, and then nothing is caught here at all",
      },
      {
        snippet:
          'const total = items.reduce((sum, item) => sum + item.price * item.count, 0).toFixed(2);\nif (total > limit) throw new Error("too expensive");',
        first: "`toFixed` makes a string, so the comparison is no longer one of numbers",
        second: "prices should be kept in cents, since 0.1 + 0.2 is not 0.3",
      },
      {
        snippet: "setInterval(async () => {\n  await sync();\n}, 1000);",
        first:
          "a sync that takes longer than a second runs beside the next one: wait for it, then set a timer",
        second: "nothing ever stops the interval",
      },
    ],
    prompts: [
      "Review this code:\n\n```ts\n{snippet}\n```",
      "What would you change here?\n\n```ts\n{snippet}\n```\n\nIt runs in production, so be careful.",
    ],
    openings: ["Two findings, the important one first.", "I would not merge it yet, for two reasons."],
    points: [
      "First, {first}.",
      "Second, {second}.",
      "Apart from that it reads well.",
      "A test with two users and an empty list would have shown it.",
    ],
    closings: ["Shall I write the changed version?", "Both are small changes."],
    joined: "steps",
    followUps: [
      [
        "Which one matters more?",
        "The first: {first}. The second can wait for the next change, but should not be forgotten.",
      ],
    ],
  },
];
