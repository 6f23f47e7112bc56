import type { Topic } from "./topic";

/** Queries, sheets, shells and containers. */
export const data: readonly Topic[] = [
  {
    kind: "data",
    cases: [
      {
        question: "the ten customers with the most orders this year",
        query:
          "select customer_id, count(*) as orders\nfrom orders\nwhere ordered_at >= date_trunc('year', now())\ngroup by customer_id\norder by orders desc\nlimit 10;",
        hint: "an index on ordered_at",
      },
      {
        question: "orders without an invoice",
        query: "select o.id\nfrom orders o\nleft join invoices i on i.order_id = o.id\nwhere i.id is null;",
        hint: "an index on invoices (order_id)",
      },
      {
        question: "the median delivery time by month",
        query:
          "select date_trunc('month', delivered_at) as month,\n  percentile_cont(0.5) within group (order by delivered_at - ordered_at) as median\nfrom orders\nwhere delivered_at is not null\ngroup by 1\norder by 1;",
        hint: "a partial index where delivered_at is not null",
      },
      {
        question: "duplicates of e-mail addresses, whatever their case",
        query: "select lower(email), count(*)\nfrom customers\ngroup by lower(email)\nhaving count(*) > 1;",
        hint: "a unique index on lower(email)",
      },
    ],
    prompts: [
      "PostgreSQL: a query for {question}. Tables: customers(id, email), orders(id, customer_id, ordered_at, delivered_at), invoices(id, order_id).",
      "SQL please: {question}.",
      "How do I get {question} from our database?",
    ],
    openings: ["```sql\n{query}\n```", "This gives you {question}:\n\n```sql\n{query}\n```"],
    points: [
      "With many rows you want {hint}.",
      "Run it with `explain (analyze, buffers)` once before it goes into a report.",
      "Mind the time zone: `now()` is the server's.",
      "Rows that are null drop out of the count.",
    ],
    closings: [""],
    joined: "paragraphs",
    followUps: [
      [
        "It is slow. What can I do?",
        "First look at the plan: `explain (analyze, buffers)`. If it reads the whole table, {hint} helps most. If it reads few rows and is slow all the same, look for a lock in `pg_stat_activity`.",
      ],
      ["Can I have it as a view?", "Yes. Put this before it:\n\n```sql\ncreate view report as\n{query}\n```"],
    ],
  },
  {
    kind: "data",
    cases: [
      {
        wish: 'sum a column only where another says "open"',
        formula: '=SUMIF(B:B, "open", C:C)',
        other: "SUMIFS takes several conditions",
      },
      {
        wish: "find a price in another sheet by its article number",
        formula: '=XLOOKUP(A2, Prices!A:A, Prices!B:B, "not found")',
        other: "in old versions: INDEX with MATCH",
      },
      {
        wish: "count different names in a column",
        formula: "=COUNTA(UNIQUE(A2:A500))",
        other: "empty cells count as one name",
      },
      {
        wish: 'split "Last, First" into two columns',
        formula: '=TEXTSPLIT(A2, ", ")',
        other: "Data, Text to columns does it once and for all",
      },
    ],
    prompts: ["Spreadsheet formula: {wish}?", "How can I {wish} in a spreadsheet?"],
    openings: ["`{formula}`", "Use this:\n\n`{formula}`"],
    points: [
      "Also good to know: {other}.",
      "If you see ####, the column is just too narrow.",
      "In a German or French version the separators are semicolons.",
    ],
    closings: [""],
    joined: "paragraphs",
    followUps: [
      [
        "It says #N/A.",
        "Then the value is not found exactly. Look for spaces at the end (TRIM removes them) and for numbers that are stored as text.",
      ],
    ],
  },
  {
    kind: "data",
    cases: [
      {
        wish: "find the ten largest folders",
        command: "du -xh --max-depth=2 . | sort -rh | head -10",
        means: "du adds up, sort -h understands 4.1G",
      },
      {
        wish: "count error lines by hour in a log",
        command: "grep ' ERROR ' app.log | cut -c1-13 | sort | uniq -c",
        means: "the first 13 characters are date and hour",
      },
      {
        wish: "rename all .jpeg files to .jpg",
        command: "rename 's/[.]jpeg$/.jpg/' *.jpeg",
        means: "the expression is Perl's, and -n only shows what it would do",
      },
      {
        wish: "see which program listens on port 8000",
        command: "ss -ltnp 'sport = :8000'",
        means: "without root only your own programs have names",
      },
    ],
    prompts: ["Shell one-liner: {wish}", "How do I {wish} on Linux?"],
    openings: ["```sh\n{command}\n```", "Like this:\n\n```sh\n{command}\n```"],
    points: [
      "Good to know: {means}.",
      "Try it on a copy first.",
      "The manual page has an example for each of these options.",
    ],
    closings: [""],
    joined: "paragraphs",
    followUps: [
      [
        "And every night at two?",
        "Put it into a file, make it executable, and add a line with `crontab -e`:\n\n```\n0 2 * * * /usr/local/bin/nightly\n```",
      ],
    ],
  },
  {
    kind: "data",
    cases: [
      {
        month: "September",
        sales: "1,204, 1,180, 1,310, 1,295",
        finding: "the third week was the best, and the fourth held the level",
      },
      {
        month: "October",
        sales: "980, 1,020, 870, 1,150",
        finding: "the third week fell by 15 %, and the fourth more than made up for it",
      },
      {
        month: "August",
        sales: "640, 655, 700, 910",
        finding: "most of the growth is in the last week, when the holidays ended",
      },
    ],
    prompts: [
      "Weekly sales in {month}: {sales}. What stands out? Two or three sentences for the report.",
      "Write a comment on these figures ({month}, by week): {sales}",
    ],
    openings: ["In {month}, {finding}.", "What stands out in {month}: {finding}."],
    points: [
      "Four values are too few to speak of a trend.",
      "Compare with the same weeks of last year before you draw a conclusion.",
      "Ask the {team} team whether anything unusual happened.",
      "As a chart, bars from zero show it most honestly.",
    ],
    closings: ["Shall I phrase it more carefully?", ""],
    joined: "paragraphs",
    followUps: [["One sentence only.", "In {month}, {finding}."]],
  },
  {
    kind: "data",
    cases: [
      { thing: "a Bun server", base: "oven/bun:1", run: "bun src/main.ts", files: "package.json bun.lock" },
      {
        thing: "a Python worker",
        base: "python:3.12-slim",
        run: "python -m worker",
        files: "requirements.txt",
      },
      { thing: "a static page", base: "nginx:alpine", run: "nginx -g 'daemon off;'", files: "public/" },
    ],
    prompts: [
      "Write a Dockerfile for {thing}, small and not as root.",
      "Dockerfile for {thing}? It starts with `{run}`.",
    ],
    openings: [
      "```dockerfile\nFROM {base}\nWORKDIR /app\nCOPY {files} ./\nCOPY . .\nUSER 1000\nCMD {run}\n```",
    ],
    points: [
      "The files that change rarely ({files}) are copied first, so the cache keeps their layer.",
      "Add a .dockerignore, or node_modules and .git go in as well.",
      "Pin the tag once it works.",
      "A health check belongs into the compose file, not here.",
    ],
    closings: [""],
    joined: "list",
    followUps: [
      [
        "How do I make it smaller?",
        "Build in one stage and copy only the result into a second one based on {base}. Then look with `docker history` at what is left; most often it is a cache of the package manager.",
      ],
    ],
  },
];
