/** Makes a fresh embedded database in the folder named: in a process of its own, for the memory that it takes. */
import { makePglite } from "../../src/database/embedded/pglite";

await makePglite(process.argv[2] ?? "");
process.exit(0);
