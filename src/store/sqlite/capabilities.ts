import { Type } from "@sinclair/typebox";
import type Database from "libsql";
import type { StoredCapability } from "../../core/capabilities.js";
import { CapabilitySourceShape, CapabilityValueShape } from "../stored-shapes.js";
import { readRow } from "./database-file.js";

const CapabilityRow = Type.Tuple([
  Type.String(),
  Type.String(),
  Type.String(),
  CapabilitySourceShape,
  Type.Number(),
]);

/** The table of what is known of Kimi's accounts. */
export class SqliteCapabilities {
  readonly #database: Database.Database;
  readonly #list: Database.Statement;
  readonly #save: Database.Statement;

  constructor(database: Database.Database) {
    this.#database = database;
    this.#list = database
      .prepare(
        "SELECT account, name, value, source, changed_at FROM capabilities WHERE account = ? ORDER BY name",
      )
      .raw();
    this.#save = database.prepare(
      `INSERT INTO capabilities (account, name, value, source, changed_at) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET value = excluded.value, source = excluded.source, changed_at = excluded.changed_at`,
    );
  }

  list(account: string): StoredCapability[] {
    return this.#list.all(account).map(toCapability);
  }

  save(capabilities: readonly StoredCapability[]): void {
    this.#database
      .transaction(() => {
        for (const { account, name, value, source, changedAt } of capabilities)
          this.#save.run(account, name, JSON.stringify(value), source, Math.round(changedAt));
      })
      .immediate();
  }
}

function toCapability(row: unknown): StoredCapability {
  const [account, name, json, source, changedAt] = readRow(CapabilityRow, row);
  const parsed: unknown = JSON.parse(json);
  return { account, name, value: readRow(CapabilityValueShape, parsed), source, changedAt };
}
