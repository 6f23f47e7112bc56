import { type Static, Type } from "@sinclair/typebox";
import { nullable } from "../common";
import { diskUse } from "../data/model";

export const healthModels = {
  Health: Type.Object(
    {
      status: Type.Union([Type.Literal("healthy"), Type.Literal("degraded"), Type.Literal("unhealthy")], {
        description:
          "degraded: the database is away, or not everything can be kept, or CORRAL_DISK_BUDGET can't, and requests still flow; unhealthy: Ollama is away",
        examples: ["healthy"],
      }),
      ollama_running: Type.Boolean({ description: "Whether Ollama answers", examples: [true] }),
      database_connected: Type.Boolean({ description: "Whether the database answers", examples: [true] }),
      message: Type.String({
        description: "What is wrong, and what to do",
        examples: ["All systems operational"],
      }),
      disk: nullable(diskUse, { description: "As of the last minute; null before the database was there" }),
      version: Type.String({ description: "Corral's version", examples: ["0.1.0"] }),
    },
    { description: "How the parts are" },
  ),
  Alive: Type.Object({ status: Type.String({ examples: ["ok"] }) }, { description: "The answer of a probe" }),
};
export type Health = Static<(typeof healthModels)["Health"]>;
