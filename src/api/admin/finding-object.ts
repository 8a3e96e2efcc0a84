import type { Finding } from "../../admin/diagnostics/finding.js";
import { type Language, localize, type Message } from "../../i18n/text.js";

/** A finding on the wire, in the language that was asked for. */
export function findingObject(
  { what, state, detail, remedy }: Finding,
  language: Language,
): { what: string; state: Finding["state"]; detail: string; remedy: string | null } {
  const inLanguage = (message: Message) => localize(message)[language];
  return {
    what: inLanguage(what),
    state,
    detail: inLanguage(detail),
    remedy: remedy === undefined ? null : inLanguage(remedy),
  };
}
