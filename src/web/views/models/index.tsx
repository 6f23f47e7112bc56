/** Models: what is installed, and what can be. */
import { Empty } from "../../shared/parts";

export function Models() {
  return (
    <>
      <h1>Models</h1>
      <Empty command={`curl ${location.origin}/api/ollama/models`}>The models that are installed:</Empty>
    </>
  );
}
