import { test } from "vitest";
import { sendRandomBodies } from "./random-bodies.js";

test("300 random bodies: no 5xx, no stream without an end, and every 4xx has a message", () =>
  sendRandomBodies(300));
