import { setDefaultTimeout } from "bun:test";
import { describeCorral } from "../support/corral";
import { sourceProgram } from "../support/program";
import { holdsThousandStreams } from "./thousand";

setDefaultTimeout(60_000);

describeCorral("one process", holdsThousandStreams, { program: sourceProgram });
