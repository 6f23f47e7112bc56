/** Requests, one by one. */
import { Empty } from "../../shared/parts";

export function Requests() {
  return (
    <>
      <h1>Requests</h1>
      <Empty command={`curl "${location.origin}/api/stats/logs?limit=20"`}>
        The newest requests, with prompt and reply:
      </Empty>
    </>
  );
}
