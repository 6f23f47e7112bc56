import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import type { SettingInForce } from "../../settings";
import { about, errorModels, nullable } from "../common";

export const settingsModels = {
  Settings: Type.Object(
    {
      settings: Type.Array(
        Type.Object({
          name: Type.String({ examples: ["keepContent"] }),
          value: nullable(Type.String(), {
            description:
              "In words; a password in a URL is blotted out, and a key is null. Empty where none is set",
            examples: ["30d"],
          }),
          source: Type.String({
            description: "Where it comes from: a variable's or flag's name, or `default`",
            examples: ["CORRAL_KEEP_CONTENT"],
          }),
          variables: Type.String({
            description: "The variables that it is read from, the first that is set wins",
            examples: ["CORRAL_KEEP_CONTENT"],
          }),
          flag: nullable(Type.String(), {
            description: "The flag that wins over them; null for a secret, which has none",
            examples: ["--keep-content"],
          }),
          default: Type.String({ examples: ["30d"] }),
          description: Type.String({ examples: ["How long prompts and replies are kept"] }),
        }),
      ),
    },
    { description: "The settings as they are in force" },
  ),
};

export function settingsRoutes({ settings }: { readonly settings: readonly SettingInForce[] }) {
  const shown = settings.map(({ flag, isSecret, ...setting }) => ({
    ...setting,
    flag: isSecret ? null : `--${flag}`,
  }));
  return new Elysia({ name: "settings" })
    .model({ ...settingsModels, ...errorModels })
    .get("/api/settings", () => ({ settings: shown }), {
      response: { 200: "Settings" },
      detail: about(
        "Settings",
        "The settings",
        "Each setting as it is in force, and where it comes from. They are set by the environment and by flags, at the start.",
        "reads texts",
      ),
    });
}
