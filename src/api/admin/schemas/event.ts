import { Type } from "@sinclair/typebox";
import { AccountAnswer } from "./account.js";
import { answerObject, NullableText, oneOf, Time } from "./field.js";
import { RequestAnswer } from "./request.js";

/** The data of each event; `type` is the name of the event, too. */
export const AdminEvent = Type.Union(
  [
    answerObject("Request started", {
      type: oneOf(["request.started"]),
      request: answerObject("Started request", {
        id: Type.String(),
        started_at: Time,
        method: Type.String(),
        route: Type.String(),
        dialect: NullableText,
        key: NullableText,
      }),
    }),
    answerObject("Request ended", { type: oneOf(["request.ended"]), request: RequestAnswer }),
    answerObject(
      "Accounts changed",
      { type: oneOf(["accounts"]), accounts: Type.Array(AccountAnswer) },
      "At first, and whenever a state or a queue has changed",
    ),
    answerObject("Drift seen", {
      type: oneOf(["drift"]),
      drift: answerObject("New drift", { kind: Type.String(), name: Type.String(), count: Type.Number() }),
    }),
  ],
  { description: "The data of each event" },
);

export const ServerAnswer = answerObject(
  "Server",
  {
    object: oneOf(["server"]),
    version: Type.String(),
    node: Type.String(),
    platform: Type.String(),
    started_at: Time,
    simulated: Type.Boolean({ description: "Nothing but the simulator answers" }),
    config_file: NullableText,
    store: Type.String(),
    files: Type.String(),
    restart_needed: Type.Array(Type.String(), {
      description: "Settings that were changed and take effect at the next start",
    }),
    journal: answerObject("Journal", {
      days: Type.Number(),
      rows: Type.Number(),
      lost: Type.Number({ description: "Requests that could not be written since the start" }),
      texts: Type.Boolean({ description: "Whether prompts and answers are kept" }),
    }),
  },
  "This Moonbridge",
);
