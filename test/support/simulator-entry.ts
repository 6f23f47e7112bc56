import { simulator } from "../../src/commands/simulator";

await simulator(process.argv.slice(2));
