/** Why there are no texts. */
import { call, type WholeRequest } from "../../../shared/api";
import { useLoaded } from "../../../shared/loaded";
import { Time } from "../../../shared/parts";

/** A record does not say why it has none: what is known of the ledger tells as much as can be told. */
export function NotKept({ request }: { readonly request: WholeRequest }) {
  const { value } = useLoaded(
    async (signal) => {
      const [{ disk }, { shed }] = await Promise.all([
        call("GET /api/data/summary", { signal }),
        call("GET /api/ledger", { signal }),
      ]);
      return { since: disk.texts_since, shed: shed.texts.spool_full + shed.texts.write_failed };
    },
    [request.id],
  );
  const isForgotten = value?.since && Date.parse(request.timestamp) < Date.parse(value.since);
  return (
    <div class="not-kept">
      <p>No texts of this request are kept.</p>
      <p class="muted">
        {isForgotten && value?.since ? (
          <>
            They were forgotten: texts are kept since <Time at={value.since} />.
          </>
        ) : (
          <>
            Either its client asked for that (<code>X-Corral-Content: none</code>), or{" "}
            <code>CORRAL_CONTENT=none</code> was set, or nothing in it could be read
            {value?.shed ? ", or they were given up: the ledger has shed the texts of some requests" : ""}.
          </>
        )}
      </p>
    </div>
  );
}
