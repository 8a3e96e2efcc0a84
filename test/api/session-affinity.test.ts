import { expect, test } from "vitest";
import { sessionAffinity } from "../../src/api/session-affinity.js";

test.each([
  "x-session-affinity",
  "x-session-id",
  "x-openwebui-chat-id",
  "x-claude-code-session-id",
  "thread-id",
  "session-id",
])("reads the session id of %s", (name) => {
  expect(sessionAffinity({ [name]: "abc" })).toEqual({ affinity: "abc" });
});

test("prefers the header that exists for this, and ignores empty and overlong values", () => {
  expect(sessionAffinity({ "session-id": "b", "x-session-affinity": "a" })).toEqual({ affinity: "a" });
  expect(sessionAffinity({ "session-id": "b", "x-session-affinity": "" })).toEqual({ affinity: "b" });
  expect(sessionAffinity({ "x-session-affinity": "a".repeat(201) })).toEqual({});
  expect(sessionAffinity({})).toEqual({});
});
