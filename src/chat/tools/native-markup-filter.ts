import type { ChatEvent, EventSink } from "../../core/types.js";
import type { Transform } from "../transforms/transform.js";
import { NativeMarkupRemover } from "./native-markup.js";

/**
 * Takes Kimi's own call markup out of the text of ordinary answers (kimi-web.md §6 row 22). An answer that held some is no
 * place to go on from. `onRemoved`: calls and lines that were taken out of one answer.
 */
export class NativeMarkupFilter implements Transform {
  readonly #onRemoved: (count: number) => void;

  constructor(onRemoved: (count: number) => void) {
    this.#onRemoved = onRemoved;
  }

  events(sink: EventSink): EventSink {
    const remover = new NativeMarkupRemover();
    return (events) => {
      const filtered = events.flatMap((event) => this.#filter(event, remover));
      return filtered.length > 0 ? sink(filtered) : undefined;
    };
  }

  #filter(event: ChatEvent, remover: NativeMarkupRemover): ChatEvent[] {
    switch (event.type) {
      case "text":
        return toText(remover.add(event.text));
      case "citation":
      case "retract":
        // Their position in the text counts.
        return [...toText(remover.end()), event];
      case "finish": {
        const rest = toText(remover.end());
        if (remover.removed === 0) return [...rest, event];
        this.#onRemoved(remover.removed);
        return [...rest, { ...event, isInexact: true }];
      }
      default:
        return [event];
    }
  }
}

function toText(text: string): ChatEvent[] {
  return text === "" ? [] : [{ type: "text", text }];
}
