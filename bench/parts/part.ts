import type { BenchEnvironment } from "../environment.js";
import type { Table } from "../report/table.js";
import type { Settings } from "../settings.js";

/** The result of a part of the benchmark: a table, and everything measured, as JSON. */
export type PartResult = { table: Table; data: unknown };

export type Part = (environment: BenchEnvironment, settings: Settings) => Promise<PartResult>;
