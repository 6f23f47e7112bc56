/** Requests, one by one. */
import { filters, goTo, hrefOf, pathRest } from "../../shared/address";
import { type Keys, useKeys } from "../../shared/keys";
import { Empty } from "../../shared/parts";
import { Request } from "./request";
import { Slow } from "./slow";

const close = () => goTo(hrefOf("requests", Object.fromEntries(filters.value)));

const keys: Keys = { Escape: ["Close the request", close] };

export function Requests() {
  useKeys(keys);
  const [id] = pathRest.value;
  if (!id && filters.value.get("show") === "phases") return <Slow />;
  return (
    <>
      <h1>Requests</h1>
      {id ? (
        <Request id={id} close={close} previous={null} next={null} />
      ) : (
        <Empty command={`curl "${location.origin}/api/stats/logs?limit=20"`}>
          The newest requests, with prompt and reply:
        </Empty>
      )}
    </>
  );
}
