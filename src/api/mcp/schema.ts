import type { StandardSchemaWithJSON } from "@modelcontextprotocol/server";
import { type Static, type TSchema, Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { keyPath } from "../../lib/json.js";

/** A TypeBox schema in the form in which the MCP SDK advertises and checks schemas. A failure names the parameter. */
function toolSchema<T extends TSchema>(schema: T): StandardSchemaWithJSON<Static<T>> {
  const json = () => ({ ...schema });
  return {
    "~standard": {
      version: 1,
      vendor: "moonbridge",
      jsonSchema: { input: json, output: json },
      validate: (value) =>
        Value.Check(schema, value) ? { value } : { issues: [{ message: problemOf(schema, value) }] },
    },
  };
}

function problemOf(schema: TSchema, value: unknown): string {
  const { path, message } = Value.Errors(schema, value).First() ?? { path: "", message: "not valid" };
  const name = keyPath(path).slice(0, 100);
  return `${name || "arguments"}: ${message.slice(0, 1).toLowerCase()}${message.slice(1)}.`;
}

const model = Type.Optional(
  Type.String({
    minLength: 1,
    maxLength: 512,
    description: "A Kimi model by its id. Leave it out for Kimi's default model.",
  }),
);

const SearchInput = Type.Object(
  {
    question: Type.String({
      minLength: 1,
      description:
        "A complete question in natural language, in any language. Say what matters: period, place, which facts are wanted.",
    }),
    model,
  },
  { additionalProperties: false },
);
export type SearchInput = Static<typeof SearchInput>;
export const searchInput = toolSchema(SearchInput);

function readSchema(sourceDescription: string) {
  return Type.Object(
    {
      source: Type.String({ minLength: 1, description: sourceDescription }),
      question: Type.String({
        minLength: 1,
        description: "What to find out about it, such as “Summarise the third chapter in five points.”",
      }),
      model,
    },
    { additionalProperties: false },
  );
}
const sources =
  "A web address (http or https) of a page, a document or a picture, or the id of a file uploaded to POST /v1/files";
export type ReadInput = Static<ReturnType<typeof readSchema>>;
export const readInput = toolSchema(readSchema(`${sources}.`));
/** Where files of this machine may be read. */
export const readInputWithPaths = toolSchema(
  readSchema(
    `${sources}, or the absolute path of a file on this computer, inside the folders that are allowed.`,
  ),
);

const AskInput = Type.Object(
  {
    prompt: Type.String({ minLength: 1, description: "The message to Kimi, in any language." }),
    conversation_id: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 512,
        description:
          "The conversation_id of an earlier result of any of these tools: Kimi remembers all of that conversation, so send only what is new. Leave it out to begin a new one.",
      }),
    ),
    search: Type.Optional(
      Type.Boolean({ description: "Whether Kimi may search the web; by default Kimi decides." }),
    ),
    thinking: Type.Optional(
      Type.Boolean({
        description: "Whether Kimi thinks before it answers: slower, better for hard problems.",
      }),
    ),
    model,
  },
  { additionalProperties: false },
);
export type AskInput = Static<typeof AskInput>;
export const askInput = toolSchema(AskInput);

const ToolOutput = Type.Object({
  answer: Type.String({ description: "Kimi's answer in Markdown; [1](address) cites the first source." }),
  sources: Type.Array(
    Type.Object({
      title: Type.String(),
      url: Type.String(),
      snippet: Type.Optional(Type.String()),
      site: Type.Optional(Type.String()),
      published: Type.Optional(Type.String()),
    }),
    { description: "The web pages that Kimi found, the cited ones first in the order of their numbers." },
  ),
  conversation_id: Type.Optional(
    Type.String({ description: "Pass it to kimi_ask to go on in this conversation." }),
  ),
  notes: Type.Optional(
    Type.Array(Type.String(), { description: "What is worth knowing about this answer." }),
  ),
});
export type ToolOutput = Static<typeof ToolOutput>;
export const toolOutput = toolSchema(ToolOutput);
