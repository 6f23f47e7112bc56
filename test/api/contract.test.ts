import { eachCorral } from "../support/corral";
import { contract, contractEnvironment } from "./contract";

eachCorral("the contract", contract, { environment: contractEnvironment });
