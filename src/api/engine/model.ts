import { type Static, Type } from "@sinclair/typebox";
import { nullable } from "../common";

export const engineModels = {
  Engine: Type.Object(
    {
      state: Type.Union(
        [Type.Literal("missing"), Type.Literal("starting"), Type.Literal("ready"), Type.Literal("down")],
        { description: "missing: there is no ollama program", examples: ["ready"] },
      ),
      owned: Type.Boolean({ description: "Whether Corral started it", examples: [true] }),
      address: Type.String({ examples: ["http://127.0.0.1:11434"] }),
      version: nullable(Type.String(), { description: "Ollama's version", examples: ["0.33.0"] }),
      pid: nullable(Type.Integer(), {
        description: "Process id, of one that Corral started",
        examples: [4242],
      }),
      restarts: Type.Integer({ description: "Starts after the first", examples: [0] }),
      why: nullable(Type.String(), { description: "Why it is not ready, and what to do", examples: [null] }),
    },
    { description: "The Ollama behind Corral" },
  ),
  EngineLog: Type.Object(
    {
      lines: Type.Array(Type.String(), {
        description: "Oldest first",
        examples: [['time=... msg="Listening on 127.0.0.1:11434"']],
      }),
    },
    { description: "What Ollama printed last" },
  ),
};
export const engineLogQuery = Type.Object({
  lines: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 1000,
      default: 100,
      description: "How many of the last lines",
      examples: [100],
    }),
  ),
});
export type EngineView = Static<(typeof engineModels)["Engine"]>;
