import type { Arrivals } from "./arrivals";
import type { Log } from "./log";
import type { Memory } from "./memory";
import type { Shelf } from "./models";
import type { Settings } from "./settings";

/** What the simulator is made of. */
export type World = {
  settings: Settings;
  shelf: Shelf;
  memory: Memory;
  arrivals: Arrivals;
  log: Log;
  /** Ends this very process at once, as a crash does. */
  crash: () => Promise<never>;
};
