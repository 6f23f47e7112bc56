/** Chat: to try a model. */
import { Empty } from "../../shared/parts";

export function Chat() {
  return (
    <>
      <h1>Chat</h1>
      <Empty
        command={`curl -N ${location.origin}/api/chat -d '{"model": "llama3.2", "prompt": "Why is the sky blue?"}'`}
      >
        To try a model:
      </Empty>
    </>
  );
}
