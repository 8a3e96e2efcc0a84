import { deltaText } from "./answer-text.js";
import type { Protocol } from "./protocol.js";

/** Kimi's earlier web chat: server-sent events (kimi-web.md §1.5, §5.9). */
export const legacy: Protocol = {
  contentType: "text/event-stream; charset=utf-8",

  opening(answerNumber) {
    const group = legacyId(answerNumber, "g");
    return Buffer.concat([
      event({ event: "req", content: "…", group_id: group, id: legacyId(answerNumber, "s"), refs: [] }),
      event({ event: "resp", group_id: group, id: legacyId(answerNumber, "r") }),
    ]);
  },

  delta(index) {
    return event({ event: "cmpl", idx_s: 0, idx_z: 0, text: deltaText(index), view: "cmpl" });
  },

  closing() {
    return Buffer.concat([event({ event: "done" }), event({ event: "all_done" })]);
  },
};

/** An id of 20 characters, in the form of the earlier site's ids. `kind` is one character. */
export function legacyId(number: number, kind: string): string {
  return `d${number.toString(32).padStart(18, "0")}${kind}`;
}

function event(data: object): Buffer {
  return Buffer.from(`data: ${JSON.stringify(data)}\n\n`);
}
