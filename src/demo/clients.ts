/** Who uses the demo's models: a small team's programs, each with habits of its own. */
import type { Kind } from "./topics/topic";

export interface Client {
  readonly address: string;
  readonly userAgent: string;
  readonly dialect: "contract.chat" | "ollama.chat" | "ollama.generate";
  readonly stream: boolean;
  /** When it is at work: people in office hours, one who stays up, a job in the night. */
  readonly hours: "office" | "late" | "night";
  /** Talks on a weekday; a night job is one long talk. */
  readonly talks: number;
  /** Most turns of a talk. */
  readonly turns: number;
  readonly models: readonly { readonly name: string; readonly weight: number }[];
  readonly kinds: readonly Kind[];
  readonly system: string | null;
  readonly temperature: number | null;
}

const assistant =
  "You are the assistant of a small team. Answer briefly and in the language of the question.";
const only = (name: string) => [{ name, weight: 1 }];

export const clients: readonly Client[] = [
  {
    address: "10.20.0.12",
    userAgent: "Python/3.12 aiohttp/3.12.15",
    dialect: "ollama.chat",
    stream: true,
    hours: "office",
    talks: 42,
    turns: 5,
    models: [
      { name: "llama3.2", weight: 6 },
      { name: "gemma3", weight: 3 },
      { name: "qwen3", weight: 2 },
    ],
    kinds: ["writing", "learning", "languages"],
    system: assistant,
    temperature: null,
  },
  {
    address: "10.20.0.31",
    userAgent: "ollama-js/0.6.0 (x64 linux Node.js/v22.14.0)",
    dialect: "ollama.chat",
    stream: true,
    hours: "office",
    talks: 16,
    turns: 6,
    models: only("qwen2.5-coder"),
    kinds: ["code"],
    system: "You help a programmer. Show code first, then at most a few sentences.",
    temperature: 0.2,
  },
  {
    address: "10.20.0.34",
    userAgent: "ollama-js/0.6.0 (arm64 darwin Node.js/v24.3.0)",
    dialect: "ollama.chat",
    stream: true,
    hours: "late",
    talks: 13,
    turns: 6,
    models: [
      { name: "qwen2.5-coder", weight: 4 },
      { name: "qwen3", weight: 1 },
    ],
    kinds: ["code", "data"],
    system: "You help a programmer. Show code first, then at most a few sentences.",
    temperature: 0.2,
  },
  {
    address: "10.20.0.40",
    userAgent: "ollama-python/0.5.3 (x86_64 linux) Python/3.12.3",
    dialect: "ollama.generate",
    stream: false,
    hours: "night",
    talks: 1,
    turns: 40,
    models: only("mistral"),
    kinds: ["tickets"],
    system: "You sort support tickets. Answer with one JSON object and nothing else.",
    temperature: 0,
  },
  {
    address: "10.20.0.44",
    userAgent: "ollama-python/0.5.3 (x86_64 linux) Python/3.11.9",
    dialect: "ollama.chat",
    stream: false,
    hours: "office",
    talks: 18,
    turns: 1,
    models: [
      { name: "qwen3", weight: 2 },
      { name: "llama3.2", weight: 3 },
    ],
    kinds: ["data"],
    system: null,
    temperature: 0.1,
  },
  {
    address: "10.20.0.52",
    userAgent: "ollama/0.12.6 (amd64 linux) Go/go1.24.1",
    dialect: "ollama.chat",
    stream: true,
    hours: "late",
    talks: 9,
    turns: 4,
    models: [
      { name: "llama3.2", weight: 3 },
      { name: "mistral", weight: 1 },
      { name: "qwen3", weight: 1 },
    ],
    kinds: ["learning", "data", "writing"],
    system: null,
    temperature: null,
  },
  {
    address: "10.20.0.61",
    userAgent: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    dialect: "contract.chat",
    stream: true,
    hours: "office",
    talks: 40,
    turns: 1,
    models: [
      { name: "llama3.2", weight: 5 },
      { name: "gemma3", weight: 2 },
    ],
    kinds: ["writing", "learning"],
    system: null,
    temperature: 0.7,
  },
  {
    address: "10.20.0.68",
    userAgent:
      "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15",
    dialect: "contract.chat",
    stream: true,
    hours: "office",
    talks: 30,
    turns: 1,
    models: [
      { name: "gemma3", weight: 3 },
      { name: "llama3.2", weight: 2 },
    ],
    kinds: ["languages", "writing"],
    system: null,
    temperature: 0.5,
  },
  {
    address: "10.20.0.75",
    userAgent: "axios/1.9.0",
    dialect: "ollama.generate",
    stream: true,
    hours: "office",
    talks: 24,
    turns: 1,
    models: [
      { name: "mistral", weight: 2 },
      { name: "llama3.2", weight: 1 },
    ],
    kinds: ["tickets", "writing"],
    system: assistant,
    temperature: 0.4,
  },
  {
    address: "127.0.0.1",
    userAgent: "curl/8.5.0",
    dialect: "contract.chat",
    stream: true,
    hours: "late",
    talks: 8,
    turns: 1,
    models: [
      { name: "llama3.2", weight: 3 },
      { name: "mistral", weight: 1 },
      { name: "qwen3", weight: 1 },
    ],
    kinds: ["learning"],
    system: null,
    temperature: 0.7,
  },
];
