import { readFileSync } from "node:fs";
import { Ajv } from "ajv";
import { expect } from "vitest";

/** Expects a value to conform to one of OpenAI's own schemas, by its name. */
export type ExpectConforming = (name: string, value: unknown) => void;

/** `file`: a file of test/fixtures with schemas by their names. */
export function openAiSchemas(file: string): ExpectConforming {
  const schemas: unknown = JSON.parse(readFileSync(new URL(`./fixtures/${file}`, import.meta.url), "utf8"));
  const ajv = new Ajv({ strict: false, validateFormats: false });
  ajv.addSchema({ $id: "http://openai/", components: { schemas } });
  return (name, value) => {
    const validate = ajv.getSchema(`http://openai/#/components/schemas/${name}`);
    expect([name, validate?.(value), validate?.errors ?? null]).toEqual([name, true, null]);
  };
}
