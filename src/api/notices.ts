import { limits } from "../core/limits.js";
import type { ChatEvent } from "../core/types.js";
import { encodeJson } from "./stream/stream-json.js";

/**
 * Collects searches and notices of an answer for Moonbridge's own fields, `moonbridge_searches` and
 * `moonbridge_notices`; at most `limits.notices` of each.
 */
export class NoticeCollector {
  #searches: string[] = [];
  #notices: { code: string; message: string }[] = [];

  add(event: Extract<ChatEvent, { type: "search" | "notice" }>): void {
    if (event.type === "search")
      this.#searches.push(...event.queries.slice(0, limits.notices - this.#searches.length));
    else if (this.#notices.length < limits.notices)
      this.#notices.push({ code: event.code, message: event.message });
  }

  /** The fields for what was collected since the last call. */
  takeFields() {
    const fields = {
      ...(this.#searches.length > 0 ? { moonbridge_searches: this.#searches } : {}),
      ...(this.#notices.length > 0 ? { moonbridge_notices: this.#notices } : {}),
    };
    this.#searches = [];
    this.#notices = [];
    return fields;
  }

  /** Adds the fields to the text of an upstream's JSON object; returns it unchanged if there are none. */
  mergeInto(json: string): string {
    const fields = encodeJson(this.takeFields());
    if (fields === "{}") return json;
    const head = json.trimEnd().slice(0, -1).trimEnd();
    return `${head}${head === "{" ? "" : ","}${fields.slice(1)}`;
  }
}
