import type { Language } from "../../../i18n/language.jsx";

/** What a client is told: the base URL without and with `/v1`, and a key. */
type Address = { base: string; api: string; key: string };

type Text = Record<Language, string>;

export type Step =
  | { kind: "text"; text: Text }
  /** A value that is typed into a field of the client. */
  | { kind: "value"; label: Text; value: string }
  /** A file or commands; `where` names the file or the program. */
  | { kind: "code"; where: Text; code: string };

export type RecipeGroup = "ui" | "agent" | "program";

/** How one client is connected; facts: docs/guide/connect-ui.md and the guides of the agents. */
export type Recipe = {
  /** Also the suggested name of its key. */
  id: string;
  name: string;
  group: RecipeGroup;
  steps: (address: Address) => Step[];
};

export function text(en: string, zh: string): Step {
  return { kind: "text", text: { en, zh } };
}

export function value(en: string, zh: string, given: string): Step {
  return { kind: "value", label: { en, zh }, value: given };
}

/** `where` is the same in both languages, such as a path, or given for each. */
export function code(where: string | Text, given: string): Step {
  return { kind: "code", where: typeof where === "string" ? { en: where, zh: where } : where, code: given };
}

export const terminal: Text = { en: "Terminal", zh: "终端" };
