/** Data: what is kept. */
import { Empty } from "../../shared/parts";

export function Data() {
  return (
    <>
      <h1>Data</h1>
      <Empty command={`curl ${location.origin}/api/data/summary`}>What is kept, and how big it is:</Empty>
    </>
  );
}
