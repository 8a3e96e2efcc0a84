import type { Table } from "../report/table.js";
import type { Settings } from "../settings.js";
import type { Stage } from "../stage.js";

/** What a part of the benchmark found: for people, and all of it for programs. */
export type Finding = { table: Table; data: unknown };

export type Part = (stage: Stage, settings: Settings) => Promise<Finding>;
