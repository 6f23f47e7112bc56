/** The embedded database's process, as tests start it. */
import { database } from "../../src/commands/database";

const [folder = "", socketPath = ""] = process.argv.slice(2);
await database(folder, socketPath);
