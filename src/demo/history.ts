/**
 * A week that never was: what a small team might have asked its models in the seven days before now. Made up from a
 * seed, and consistent: every number follows from one course of events in which clients come, wait for one another,
 * models load, and the engine has one bad quarter of an hour.
 */
import type { RequestRecord } from "../ledger/record";
import { type Chance, createChance } from "./chance";
import type { Client } from "./clients";
import { createEngine } from "./engine";
import { type DemoModel, demoModels, unknownModels } from "./models";
import { beforeText, type Draft, recordOf, tokensAnswered, tokensAsked, tokensOf } from "./record";
import { type Exchange, makeTalk } from "./talk";
import { badQuarter, makeVisits } from "./week";

/** A talk that goes on at some moment. */
interface Turn {
  readonly at: number;
  readonly client: Client;
  readonly model: DemoModel;
  readonly talk: readonly Exchange[];
  /** The talk's requests so far. */
  readonly drafts: readonly Draft[];
}

const limits = [64, 100, 128, 200, 256, 300, 400, 512];
/** Then even the patient give up. */
const MOST_TRIES = 4;

/**
 * Makes up the week before `now`: the same seed, moment and offset make the same records, byte for byte.
 * @param utcOffsetMinutes local time less UTC, since office hours are local
 * @returns records in order of time and of id; all had ended by `now`
 */
export function makeHistory(seed: number, now: Date, utcOffsetMinutes = 0): RequestRecord[] {
  const offsetMs = utcOffsetMinutes * 60_000;
  const chance = createChance(seed, "course");
  const texts = createChance(seed, "texts");
  const bad = badQuarter(now.getTime(), offsetMs);
  const engine = createEngine(createChance(seed, "engine"), bad);
  const visits = makeVisits(createChance(seed, "visits"), now.getTime(), offsetMs, bad).reverse();
  const pending: Turn[] = [];
  const drafts: Draft[] = [];

  /** The talk that goes on next; visitors begin theirs when their time has come. */
  function nextTurn(): Turn | undefined {
    let next = pending[0];
    for (const turn of pending) if (next && turn.at < next.at) next = turn;
    const visit = visits.at(-1);
    if (visit && (!next || visit.at <= next.at)) {
      visits.pop();
      return {
        ...visit,
        model: modelOf(chance, visit.client),
        talk: talkOf(texts, visit.client),
        drafts: [],
      };
    }
    if (next) pending.splice(pending.indexOf(next), 1);
    return next;
  }

  for (let turn = nextTurn(); turn; turn = nextTurn()) {
    if (turn.at >= now.getTime()) continue;
    const draft = begin(turn);
    drafts.push(draft);
    const goOn = whenNext(chance, turn, draft);
    if (goOn !== null) pending.push({ ...turn, at: goOn, drafts: [...turn.drafts, draft] });
  }

  function begin({ at, client, model, talk, drafts: earlier }: Turn): Draft {
    // Only what was answered counts as said; what failed is asked again.
    const answered = earlier.filter(isAnswered).map((draft) => draft.exchange);
    const exchange = talk[answered.length] ?? talk[0];
    if (!exchange) throw new Error("a talk has something to say");
    const before = client.dialect === "ollama.chat" ? answered : [];
    const tokensIn = tokensAsked({ client, exchange, before });
    const natural = tokensAnswered(exchange, model);
    // A talk does not go on after half a sentence.
    const limited = answered.length + 1 >= talk.length && chance.happens(0.05);
    const limit = limited ? (limits.findLast((most) => most < natural) ?? null) : null;
    const asked = {
      client,
      exchange,
      before,
      limit,
      at,
      tokensIn,
      run: engine.runAt(at),
      thinks: model.thinks,
    };
    const inFlight = drafts.slice(-100).filter((draft) => draft.endsAt > at).length;
    const refused = refusal(chance, engine.why(at), client, earlier.length);
    if (refused) {
      const { model: name = model.name, ...ending } = refused;
      const endsAt = at + chance.logNormal(ending.status === 404 ? 4 : 1.2, 0.3);
      return { ...asked, model: name, inFlight, work: null, tokensOut: 1, ending, endsAt };
    }
    const tokensOut = Math.min(natural, limit ?? natural);
    const fresh = before.length === 0 ? tokensIn : tokensOf(exchange.prompt) + 4;
    const work = engine.work(at, model, { all: tokensIn, fresh, out: tokensOut });
    const wholeMs = beforeText(work) + work.decodeMs + chance.logNormal(2.5, 0.4);
    const draft = { ...asked, model: model.name, inFlight, work, tokensOut };
    const ended = endOf(draft, wholeMs);
    engine.hold(at, model, work, ended.endsAt);
    return { ...draft, ...ended };
  }

  function endOf(draft: Omit<Draft, "ending" | "endsAt">, wholeMs: number): Pick<Draft, "ending" | "endsAt"> {
    const { at, client, work } = draft;
    const known = engine.crashBetween(at, at + wholeMs);
    if (known !== null) return crashAt(known);
    if (at >= bad.from && at < bad.to && chance.happens(0.6)) {
      const crash = at + wholeMs * chance.within(0.2, 0.95);
      engine.crash(crash);
      // It takes everybody's replies with it.
      for (const other of drafts.slice(-100)) if (other.endsAt > crash) Object.assign(other, crashAt(crash));
      return crashAt(crash);
    }
    if (client.hours !== "night" && chance.happens(0.032))
      return { ending: { outcome: "client_abort" }, endsAt: at + wholeMs * chance.within(0.1, 0.85) };
    if (work !== null && chance.happens(0.009)) return engineError(chance, at, client, work.waitMs, wholeMs);
    const outcome = draft.limit === null ? "complete" : "length";
    return { ending: { outcome }, endsAt: at + wholeMs };
  }

  /** It takes a moment to tell a crash from a broken connection. */
  function crashAt(crash: number): Pick<Draft, "ending" | "endsAt"> {
    return { ending: { outcome: "engine_crash" }, endsAt: crash + chance.within(8, 60) };
  }

  const ids = createChance(seed, "ids");
  return drafts
    .filter((draft) => draft.endsAt < now.getTime())
    .map((draft) => recordOf(draft, ids))
    .sort((one, other) => (one.id < other.id ? -1 : 1));
}

function isAnswered({ ending }: Draft): boolean {
  return ending.outcome === "complete" || ending.outcome === "length";
}

function modelOf(chance: Chance, client: Client): DemoModel {
  const { name } = chance.weighted(client.models);
  const model = demoModels.find((one) => one.name === name);
  if (!model) throw new Error(`${name} is none of the demo's models`);
  return model;
}

/** A chat may go on; every other client has its number of questions. */
function talkOf(texts: Chance, { dialect, kinds, turns }: Client): Exchange[] {
  return makeTalk(texts, kinds, dialect === "ollama.chat" ? texts.between(1, turns) : turns);
}

/** When the talk goes on after a request, or null where it is over. */
function whenNext(chance: Chance, { client, talk, drafts }: Turn, draft: Draft): number | null {
  if (client.hours === "night" && drafts.length + 1 < talk.length)
    return Math.ceil(draft.endsAt + chance.within(40, 300));
  if (isAnswered(draft)) {
    const answered = drafts.filter(isAnswered).length + 1;
    return answered < talk.length ? Math.ceil(draft.endsAt + chance.logNormal(38_000, 0.6)) : null;
  }
  const tries = drafts.length - drafts.findLastIndex(isAnswered);
  if (tries >= MOST_TRIES || !chance.happens(0.8)) return null;
  return Math.ceil(draft.endsAt + chance.logNormal(11_000, 0.5));
}

type Refused = Draft["ending"] & { readonly model?: string };

/** What is refused before the engine works on it, or null. */
function refusal(chance: Chance, down: string | null, client: Client, tries: number): Refused | null {
  if (down !== null) return { outcome: "rejected", status: 503, error: down };
  if (client.hours === "night" || tries > 0 || !chance.happens(0.015)) return null;
  const model = chance.pick(unknownModels);
  return { outcome: "rejected", status: 404, error: `model '${model}' not found`, model };
}

/** An error of the engine's own: as it loads the model, or in the middle of its reply. */
function engineError(
  chance: Chance,
  at: number,
  { dialect, stream }: Client,
  waitMs: number,
  wholeMs: number,
): Pick<Draft, "ending" | "endsAt"> {
  const status = dialect === "contract.chat" ? 502 : 500;
  if (chance.happens(0.4)) {
    const error = "model requires more system memory (11.2 GiB) than is available (9.4 GiB)";
    return {
      ending: { outcome: "engine_error", status, error },
      endsAt: at + waitMs + chance.within(60, 400),
    };
  }
  const error = "an error was encountered while running the model: unexpected EOF";
  const endsAt = at + wholeMs * chance.within(0.6, 0.95);
  return { ending: { outcome: "engine_error", error, ...(stream ? {} : { status }) }, endsAt };
}
