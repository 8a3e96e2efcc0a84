import type { TObject, TSchema } from "@sinclair/typebox";
import { TypeGuard } from "@sinclair/typebox";

/** A setting of a schema: its path from there, of one or two names. */
export type Setting = { path: readonly [string] | readonly [string, string]; schema: TSchema };

/** The settings of the config file, those of a section one by one. */
export function listSettings(schema: TObject): Setting[] {
  return Object.entries(schema.properties).flatMap(([name, property]): Setting[] =>
    TypeGuard.IsObject(property)
      ? Object.entries(property.properties).map(([key, each]) => ({ path: [name, key], schema: each }))
      : [{ path: [name], schema: property }],
  );
}
