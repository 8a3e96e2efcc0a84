import type { EventSink } from "../../core/types.js";
import type { Transform } from "../transforms/transform.js";

/** Tells the client that the model was not told of its functions. The parameters are in the list of ignored ones, too. */
export class ToolsOffNotice implements Transform {
  #isEmitted = false;

  events(sink: EventSink): EventSink {
    return (events) => {
      if (this.#isEmitted) return sink(events);
      this.#isEmitted = true;
      return sink([notice, ...events]);
    };
  }
}

const notice = {
  type: "notice",
  code: "tools_off",
  message:
    'The model was not told of the functions of this request, because "tools" is "off" for this key or upstream.',
} as const;
