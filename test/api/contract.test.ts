import { eachCorral } from "../support/corral";
import { sourceProgram } from "../support/program";
import { contract, contractEnvironment } from "./contract";

eachCorral("the contract", contract, { environment: contractEnvironment, program: sourceProgram });
