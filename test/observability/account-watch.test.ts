import { expect, onTestFinished, test } from "vitest";
import type { AccountStatus } from "../../src/core/types.js";
import { AccountWatch } from "../../src/observability/account-watch.js";

test("a dead login is told once, and again only after it has worked", () => {
  let status: AccountStatus = { state: "ok", detail: "fine" };
  const events: string[] = [];
  const watch = new AccountWatch(
    () => [{ upstream: "me", status }],
    ({ event, upstream }) => events.push(`${event} ${upstream}`),
  );
  onTestFinished(() => watch.stop());
  const check = (state: AccountStatus["state"]) => {
    status = { state, detail: "" };
    watch.check();
  };
  for (const state of ["ok", "login required", "login required", "ok", "quota", "login required"] as const)
    check(state);
  expect(events).toEqual(["login_required me", "login_works me", "login_required me"]);
});

test("an upstream that is gone is forgotten", () => {
  const dead = { upstream: "me", status: { state: "login required", detail: "" } } as const;
  let reports: (typeof dead)[] = [dead];
  const events: string[] = [];
  const watch = new AccountWatch(
    () => reports,
    ({ event }) => events.push(event),
  );
  onTestFinished(() => watch.stop());
  watch.check();
  reports = [];
  watch.check();
  reports = [dead];
  watch.check();
  expect(events).toEqual(["login_required", "login_required"]);
});
