import type { TSchema } from "@sinclair/typebox";
import { Ajv } from "ajv";
import type { FastifySchemaCompiler } from "fastify";

/**
 * Validates values as they are: nothing is converted, removed or filled in. One for all servers of the process, since it keeps
 * what it has compiled, by schema; compiling the schemas of all routes takes a tenth of a second.
 */
const ajv = new Ajv({
  strict: false,
  // JSON.parse makes Infinity of a number with 400 digits.
  strictNumbers: true,
  allErrors: false,
  formats: { "date-time": (text: string) => !Number.isNaN(Date.parse(text)) },
});

/** Compiles the schema of a part of a request. */
export const compileValidator: FastifySchemaCompiler<TSchema> = ({ schema }) => ajv.compile(schema);
