import { test } from "vitest";
import { expectSameCause, troubles } from "./network-troubles.js";

test.each([
  "a name that does not exist",
  "an expired certificate",
  "a certificate for another name",
  "a connection that is cut while TLS begins",
] as const)(
  "%s is named to chat clients of every upstream kind as doctor names it",
  (name) => expectSameCause(troubles[name]),
  60_000,
);
