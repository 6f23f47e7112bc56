/** The views, in the order of the navigation. */
import type { ComponentType } from "preact";
import type { ViewName } from "./shared/address";
import { later } from "./shared/later";
import { Now } from "./views/now";

interface View {
  readonly title: string;
  readonly Show: ComponentType;
  /** A path of 24 by 24, for the telephone's navigation. */
  readonly icon: string;
}

export const views: Readonly<Record<ViewName, View>> = {
  now: { title: "Now", Show: Now, icon: "M3 12h4l3 7 4-14 3 7h4" },
  requests: {
    title: "Requests",
    Show: later(async () => (await import("./views/requests")).Requests),
    icon: "M4 6h16M4 12h16M4 18h10",
  },
  history: {
    title: "History",
    Show: later(async () => (await import("./views/history")).History),
    icon: "M4 4v16h16M8 15l4-5 3 3 4-6",
  },
  models: {
    title: "Models",
    Show: later(async () => (await import("./views/models")).Models),
    icon: "M12 3l8 4.5v9L12 21l-8-4.5v-9zM12 12l8-4.5M12 12v9M12 12L4 7.5",
  },
  chat: {
    title: "Chat",
    Show: later(async () => (await import("./views/chat")).Chat),
    icon: "M4 5h16v11H10l-4 4v-4H4z",
  },
  data: {
    title: "Data",
    Show: later(async () => (await import("./views/data")).Data),
    icon: "M5 6c0-4 14-4 14 0s-14 4-14 0v12c0 4 14 4 14 0V6M5 12c0 4 14 4 14 0",
  },
};
