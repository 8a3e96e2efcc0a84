import { test } from "vitest";
import { expectSameCause, troubles } from "./network-troubles.js";

test.each(["a refused connection", "a self-signed certificate", "a redirect to a sign-in page"] as const)(
  "%s is named to chat clients of every upstream kind as doctor names it",
  (name) => expectSameCause(troubles[name]),
  60_000,
);
