/** The page: starts what it listens to, and shows the frame. */
import { render } from "preact";
import { Frame } from "./frame";
import { listenForKeys } from "./shared/keys";
import { followLive } from "./shared/live";

listenForKeys();
void followLive();
// At the end of the document, which the script does not wait for: its body is there (type="module").
render(<Frame />, document.body);
