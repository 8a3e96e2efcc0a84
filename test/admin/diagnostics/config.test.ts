import { expect, test } from "vitest";
import { checkConfig, checkNode } from "../../../src/admin/diagnostics/config.js";
import { configMessages } from "../../../src/i18n/config-messages.js";

test.each([
  ["18.20.8", "fail"],
  ["20.18.3", "fail"],
  ["20.19.0", "ok"],
  ["24.1.0", "ok"],
])("Node.js %s: %s", (running, state) => {
  expect(checkNode(running).state).toBe(state);
});

test("what the configuration warns of is a finding, such as prompts and answers that are kept", () => {
  const config = { configFile: { kind: "none" as const, searched: [] }, upstreams: [] };
  const findings = checkConfig({ ...config, warnings: [configMessages.textsKept] });
  expect(findings.map(({ state }) => state)).toEqual(["ok", "warn"]);
  expect(findings[1]?.detail).toBe(configMessages.textsKept);
});
