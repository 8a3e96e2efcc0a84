import { afterEach, expect, test, vi } from "vitest";
import { runCheck } from "../../../src/admin/diagnostics/finding.js";
import { limits } from "../../../src/core/limits.js";

afterEach(() => {
  vi.useRealTimers();
});

const endless = () => new Promise<never>(() => {});
const nobody = new AbortController().signal;

test("a check that does not end has its minute, and what it began a moment more", async () => {
  vi.useFakeTimers();
  const finding = runCheck("chat", nobody, endless);
  await vi.advanceTimersByTimeAsync(limits.doctorCheck + limits.doctorCleanup);
  expect(await finding).toEqual([
    { what: "chat", state: "fail", detail: "This took more than 60 s and was given up." },
  ]);
});

test("one that is called off puts things away and finds nothing", async () => {
  const person = new AbortController();
  let isPutAway = false;
  const finding = runCheck("chat", person.signal, async (signal) => {
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
    isPutAway = true;
    return [{ what: "chat", state: "ok", detail: "" }];
  });
  person.abort();
  expect(await finding).toEqual([]);
  expect(isPutAway).toBe(true);
});

test("one that breaks is a finding, which quotes nothing that we did not say", async () => {
  const broken = async () => {
    throw Object.assign(new TypeError("CANARY"), { code: "EX" });
  };
  expect(await runCheck("keys", nobody, broken)).toEqual([
    { what: "keys", state: "fail", detail: "Moonbridge could not make this check (TypeError EX)." },
  ]);
});
