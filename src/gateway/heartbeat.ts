/** Bytes that keep what is between client and server awake while a model loads: for who asks for them. */

import { LONGEST_TIMER_MS, readDuration } from "../duration";
import type { Heartbeat } from "./dialects/dialect";

export interface Heart extends Heartbeat {
  readonly everyMs: number;
}

/** How often a request wants one, 0 for never: by its `X-Corral-Heartbeat` (such as 15s, or off), else by the setting. */
export function heartbeatMs(headers: Headers, settingMs: number): number {
  const given = headers.get("x-corral-heartbeat")?.trim().toLowerCase();
  // What can't be read asks for nothing: a client that can't have it must not get it.
  const asked = given ? (given === "off" ? 0 : (readDuration(given, 1000) ?? 0)) : settingMs;
  return asked > LONGEST_TIMER_MS ? 0 : asked;
}

/** What is promised, or null when it takes longer. It goes on all the same. */
export async function orAfter<T>(promised: Promise<T>, ms: number): Promise<T | null> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), ms);
  });
  try {
    return await Promise.race([promised, late]);
  } finally {
    clearTimeout(timer);
  }
}
