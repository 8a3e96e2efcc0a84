import type { BenchEnvironment } from "../environment.js";
import type { Table } from "../report/table.js";
import type { Settings } from "../settings.js";

/** The result of a part of the benchmark: a table, and all measured values for the JSON file of the run. */
export type PartResult = { table: Table; data: unknown };

/** One part of the benchmark: measures something and returns a table of it. */
export type Part = (environment: BenchEnvironment, settings: Settings) => Promise<PartResult>;
