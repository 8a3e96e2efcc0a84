import { readdirSync, readFileSync } from "node:fs";

type Json = Record<string, unknown>;

/** A scripted output of a model with what is expected of it; the fields are described beside this file. */
export type BlindCase = {
  file: string;
  name: string;
  tools: { name: string; description?: string; parameters: Json }[];
  output: string;
  expect: {
    calls: { name: string; arguments: Json }[];
    text: string;
    repairable?: boolean;
    trap?: boolean;
    correction?: boolean;
  };
  cut?: boolean;
  proposed?: boolean;
  note?: string;
};

const folder = new URL("blind/", import.meta.url);

/** All cases of `blind/`, with the word of the tag filled in and repetitions expanded. */
export function readBlindCases(word: string): BlindCase[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith(".json"))
    .flatMap((file) => {
      const cases: Omit<BlindCase, "file">[] = JSON.parse(readFileSync(new URL(file, folder), "utf8"));
      return cases.map((scripted) => ({
        ...scripted,
        file,
        output: expandText(scripted.output, word),
        expect: {
          ...scripted.expect,
          text: expandText(scripted.expect.text, word),
          calls: scripted.expect.calls.map((call) => ({
            ...call,
            arguments: Object.fromEntries(
              Object.entries(call.arguments).map(([key, value]) => [key, expandValue(value, word)]),
            ),
          })),
        },
      }));
    });
}

function expandValue(value: unknown, word: string): unknown {
  if (typeof value === "string") return expandText(value, word);
  if (Array.isArray(value)) return value.map((item) => expandValue(item, word));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, expandValue(item, word)]));
}

function expandText(text: string, word: string): string {
  return text
    .replaceAll("«WORD»", word)
    .replace(/«(\d+)\*([^»]*)»/g, (_, count: string, repeated: string) => repeated.repeat(Number(count)));
}
