import { Type } from "@sinclair/typebox";
import { eventActions } from "../../ledger/event";
import { outcomes, statuses } from "../../ledger/record";
import { moment, nullable, oneOf, timeSchema } from "../common";
import { server } from "../stats/model";

export const eventsQuery = Type.Object({
  limit: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 1000, default: 100, description: "Most events", examples: [50] }),
  ),
  offset: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: 1_000_000_000,
      default: 0,
      description: "Events to leave out first",
      examples: [0],
    }),
  ),
  cursor: Type.Optional(
    Type.String({ minLength: 1, maxLength: 1000, description: "The `next` of an earlier page" }),
  ),
  model: Type.Optional(
    Type.String({ minLength: 1, maxLength: 400, description: "Only this model", examples: ["llama3.2"] }),
  ),
  action: Type.Optional(oneOf(eventActions, { description: "Only this action", examples: ["pull"] })),
  hours: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 876_000,
      description: "Only what began in so many hours before `to`, or before now",
      examples: [24],
    }),
  ),
  from: moment("Only what began then or later", "2026-11-25T00:00:00Z"),
  to: moment("Only what began before", "2026-11-26T00:00:00Z"),
  server: Type.Optional(server),
});

export const eventModels = {
  Events: Type.Object(
    {
      events: Type.Array(
        Type.Object({
          id: Type.String({ examples: ["evt_019ab2c4-6f10-7000-8000-000000000001"] }),
          timestamp: timeSchema,
          action: oneOf(eventActions, {
            description: "What was done; `restart` is Ollama's, on request",
            examples: ["pull"],
          }),
          model: nullable(Type.String(), {
            description: "What was changed; null where none was named",
            examples: ["llama3.2"],
          }),
          source: nullable(Type.String(), {
            description: "What a copy or a new model was made from",
            examples: [null],
          }),
          insecure: nullable(Type.Boolean(), {
            description: "Whether a registry without TLS was allowed",
            examples: [false],
          }),
          path: Type.String({ description: "The path that it came by", examples: ["/api/pull"] }),
          client_ip: nullable(Type.String(), { examples: ["192.168.1.100"] }),
          user_agent: nullable(Type.String(), { examples: ["ollama/0.33.0"] }),
          user: nullable(Type.String(), {
            description: "Who is behind the client, in its own words",
            examples: ["ada@example.org"],
          }),
          status: oneOf(statuses, { examples: ["success"] }),
          outcome: oneOf(outcomes, { description: "How it ended, exactly", examples: ["complete"] }),
          error: nullable(Type.String(), { examples: [null] }),
          bytes: nullable(Type.Number(), {
            description: "Of the layers that were done, those that were there already included",
            examples: [2_019_393_189],
          }),
          duration_ms: Type.Number({ examples: [48_200] }),
        }),
        { description: "Newest first, by when they began" },
      ),
      total: Type.Integer({ description: "All that the filters let through", examples: [1] }),
      next: nullable(Type.String(), { description: "Cursor of the following page", examples: [null] }),
    },
    { description: "A page of events" },
  ),
};
