import type { ChatEvent } from "../../core/types.js";
import { quote } from "../stream/sse-json.js";

/** What is told beside an answer, in fields of our own: searches that were made, and remarks that are no failures. */
export class Remarks {
  #searches: string[] = [];
  #notices: { code: string; message: string }[] = [];

  hear(event: Extract<ChatEvent, { type: "search" | "notice" }>): void {
    if (event.type === "search") this.#searches.push(...event.queries);
    else this.#notices.push({ code: event.code, message: event.message });
  }

  /** The fields for what was heard; each is told once. */
  take() {
    const fields = {
      ...(this.#searches.length > 0 ? { moonbridge_searches: this.#searches } : {}),
      ...(this.#notices.length > 0 ? { moonbridge_notices: this.#notices } : {}),
    };
    this.#searches = [];
    this.#notices = [];
    return fields;
  }

  /** Somebody else's JSON object with these fields in it; unchanged where there is nothing to tell. */
  within(json: string): string {
    const fields = quote(this.take());
    if (fields === "{}") return json;
    const open = json.trimEnd().slice(0, -1).trimEnd();
    return `${open}${open === "{" ? "" : ","}${fields.slice(1)}`;
  }
}
