/** The models that there are figures of, for choosing one. */
import { call } from "./api";
import { useLoaded } from "./loaded";

const MOST = 1000;

/** Their names; none before they are answered. */
export function useModelNames(): readonly string[] {
  const models = useLoaded((signal) => call("GET /api/models", { query: { limit: MOST }, signal }), []);
  return models.value?.models.map(({ name }) => name) ?? [];
}
