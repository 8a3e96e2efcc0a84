import { test } from "vitest";
import { sendRandomBodies } from "./random-bodies.js";

test(
  "10,000 random bodies: no 5xx, no stream without an end, and every 4xx has a message",
  () => sendRandomBodies(10_000),
  300_000,
);
