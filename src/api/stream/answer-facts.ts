import type { ChatEvent, StartEvent, Usage } from "../../core/types.js";
import { NoticeCollector } from "../notices.js";

/** What the events of one answer tell beside its content. */
export class AnswerFacts {
  readonly notices = new NoticeCollector();
  start: StartEvent | undefined;
  model: string;
  usage: Usage | undefined;
  conversation: string | undefined;

  /** `model`: its name until the first event. */
  constructor(model: string) {
    this.model = model;
  }

  onEvent(event: ChatEvent): void {
    switch (event.type) {
      case "start":
        this.start = event;
        this.model = event.model;
        return;
      case "usage":
        this.usage = event.usage;
        return;
      case "conversation":
        this.conversation = event.id;
        return;
      case "search":
      case "notice":
        this.notices.add(event);
        return;
      default:
        return;
    }
  }
}
