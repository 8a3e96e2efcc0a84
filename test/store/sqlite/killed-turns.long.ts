import { testKilledTurns } from "../contract/killed-turns.js";
import { configOf, freshPath } from "./temporary-database.js";

testKilledTurns(async () => configOf(await freshPath()));
