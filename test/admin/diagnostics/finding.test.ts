import { afterEach, expect, test, vi } from "vitest";
import { runCheck, toEnglish } from "../../../src/admin/diagnostics/finding.js";
import { limits } from "../../../src/core/limits.js";

afterEach(() => {
  vi.useRealTimers();
});

const neverEnding = () => new Promise<never>(() => {});
const neverAborted = new AbortController().signal;

test("a check that never ends times out after a minute, plus the time for its clean-up", async () => {
  vi.useFakeTimers();
  const finding = runCheck("chat", neverAborted, neverEnding);
  await vi.advanceTimersByTimeAsync(limits.doctorCheck + limits.doctorCleanup);
  expect((await finding).map(toEnglish)).toEqual([
    { what: "chat", state: "fail", detail: "This took more than 60 s and was given up." },
  ]);
});

test("an aborted check cleans up and has no findings", async () => {
  const user = new AbortController();
  let isCleanedUp = false;
  const finding = runCheck("chat", user.signal, async (signal) => {
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
    isCleanedUp = true;
    return [{ what: "chat", state: "ok", detail: "" }];
  });
  user.abort();
  expect(await finding).toEqual([]);
  expect(isCleanedUp).toBe(true);
});

test("a check that throws is a finding that does not quote the error's message", async () => {
  const failing = async () => {
    throw Object.assign(new TypeError("CANARY"), { code: "EX" });
  };
  expect((await runCheck("keys", neverAborted, failing)).map(toEnglish)).toEqual([
    { what: "keys", state: "fail", detail: "Moonbridge could not make this check (TypeError EX)." },
  ]);
});
