import { setTimeout as sleep } from "node:timers/promises";
import { handleStream, streamContentType } from "./connect-stream.js";
import { endOfStreamFlag } from "./envelope.js";
import * as events from "./events.js";
import type { HttpCall } from "./http-call.js";
import { ResponseWriter } from "./response-writer.js";
import type { SimulatorState } from "./state.js";

/**
 * `ChatService/ResumeChat`: the answer of a chat for a client that lost its stream (kimi-web.md §2.7). Its form is not
 * known: the simulator sends heartbeats while the answer is generated, then each of its blocks as one `set` event.
 */
export function handleResumeChat(state: SimulatorState, call: HttpCall): Promise<void> {
  return handleStream(state, call, async (body, account) => {
    const { chat, message } = state.chatMethods.findAnswer(body, account);
    const responseWriter = new ResponseWriter(call, {});
    responseWriter.open(streamContentType);
    responseWriter.writeFrame(events.firstHeartbeatEvent);
    let offset = 0;
    responseWriter.writeFrame(events.lastRequestEvent(++offset, chat));
    while (message.stop) {
      responseWriter.writeFrame(events.heartbeatEvent(offset));
      await responseWriter.flush();
      await sleep(state.heartbeatMilliseconds, undefined, { signal: call.stopSignal });
    }
    const { id, parentId, role, scenario, createTime, status, blocks } = message;
    const opening = { id, parentId, role, status: "MESSAGE_STATUS_GENERATING", scenario, createTime };
    responseWriter.writeFrame(
      events.containerEvent("set", "message", ++offset, { message: { ...opening, isGoal: false } }),
    );
    for (const block of blocks) {
      responseWriter.writeFrame(events.containerEvent("set", undefined, ++offset, { block }));
    }
    responseWriter.writeFrame(
      events.containerEvent("set", "message.status", ++offset, { message: { id, status } }),
    );
    responseWriter.writeFrame(events.doneEvent(++offset));
    responseWriter.writeFrame("{}", endOfStreamFlag);
    await responseWriter.end();
  });
}
