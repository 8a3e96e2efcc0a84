import openapiTypes, { astToString } from "openapi-typescript";
import { expect, test } from "vitest";
import { startGateway } from "../gateway.js";

const consolePaths = /^\/v1\/(admin\/|models$|files$)/;

/**
 * The description of the routes that the console calls, in order of their paths: with their answers, without their errors,
 * and without words, which change nothing for the console.
 */
function describedForConsole({ paths, ...document }: OpenApiDocument): OpenApiDocument {
  const known = Object.entries(paths).filter(([path]) => consolePaths.test(path));
  const operationsOf = (operations: Record<string, Operation>) =>
    Object.fromEntries(
      Object.entries(operations).map(([method, operation]) => [
        method,
        { ...operation, responses: { 200: operation.responses["200"] } },
      ]),
    );
  return {
    ...document,
    paths: Object.fromEntries(
      known
        .sort(([one], [other]) => (one < other ? -1 : 1))
        .map(([path, operations]) => [path, operationsOf(operations)]),
    ),
  };
}

/** As JSON; a `description` or `summary` that is a text is one, and not a field of that name. */
function withoutWords(document: OpenApiDocument): string {
  return JSON.stringify(document, (name, value) =>
    (name === "description" || name === "summary") && typeof value === "string" ? "" : value,
  );
}

type Operation = { responses: Record<string, unknown> };
type OpenApiDocument = {
  openapi: string;
  info: { title: string; version: string };
  paths: Record<string, Record<string, Operation>>;
};

test("the console is compiled against the API as it is; npx vitest run test/console/api-schema.test.ts -u writes its types", async () => {
  const gateway = await startGateway();
  const answer = await fetch(new URL("/openapi.json", gateway.url));
  const { openapi, info, paths }: OpenApiDocument = JSON.parse(await answer.text());
  const types = await openapiTypes(withoutWords(describedForConsole({ openapi, info, paths })));
  const heading = "// Written by test/console/api-schema.test.ts from /openapi.json.\n";
  await expect(heading + astToString(types)).toMatchFileSnapshot("../../console/src/api/schema.d.ts");
});
