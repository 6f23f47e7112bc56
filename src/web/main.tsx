import { render } from "preact";
import { signal } from "@preact/signals";
import uPlot from "uplot";
const n = signal(1);
render(<p>hi {n} {String(uPlot)}</p>, document.body);
