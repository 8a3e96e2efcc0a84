import type { JsonObject } from "../lib/json.js";

/** An entry of the log. `time`: milliseconds since the epoch. */
export type LogLine = {
  time: number;
  level: "debug" | "info" | "warn" | "error";
  message: string;
  fields: JsonObject;
};
