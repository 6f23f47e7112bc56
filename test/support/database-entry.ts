/** The embedded database's process, as tests start it. */
import { database } from "../../src/commands/database";

await database(process.argv.slice(2));
