import { Type } from "@sinclair/typebox";
import { expect, test } from "vitest";
import { upstreamSchema } from "../../src/config/field-schemas.js";
import { parseUpstreams } from "../../src/config/upstream-settings.js";
import type { ChatEvent, Model, Upstream } from "../../src/core/types.js";
import { ProtocolDrift } from "../../src/observability/protocol-drift.js";
import { createNullCredentialStore } from "../../src/upstreams/null-credential-store.js";
import { kindOf, upstreamKinds } from "../../src/upstreams/registry.js";
import { defineUpstreamKind } from "../../src/upstreams/upstream-kind.js";

const model: Model = {
  ...{ id: "echo", name: "Echo", owner: "test", contextLength: undefined, inputs: ["text"] },
  ...{ thinking: [], agent: false, conversationScope: "", isDefault: true },
};

const echo = defineUpstreamKind({
  kind: "echo",
  schema: upstreamSchema("echo", { prefix: Type.String({ description: "a text" }) }),
  defaultConcurrency: 3,
  credentials: "none",
  readSettings: (settings, path, warnings) => {
    if (settings.prefix === "deprecated") warnings.push(`${path}.prefix is not used.`);
    return { ...settings, prefix: settings.prefix.trim() };
  },
  baseUrls: ({ prefix }) => [`http://${prefix}.test`],
  open: async ({ name, prefix }): Promise<Upstream> => ({
    ...{ name, kind: "echo", simulated: true, chatStructure: "none", features: new Set() },
    models: async () => [model],
    chat: async (_request, sink) =>
      sink([
        { type: "text", text: `${prefix} from ${name}` },
        { type: "finish", reason: "stop" },
      ]),
    accountId: () => name,
    status: () => ({ state: "ok", detail: "" }),
    close: async () => {},
  }),
});

const context = { store: createNullCredentialStore(), drift: new ProtocolDrift(), warn: () => {} };

test("a kind of its own is validated, read and opened by its one object", async () => {
  const warnings: string[] = [];
  const entries = [
    { name: "a", kind: "echo", prefix: " hello " },
    { name: "s", kind: "simulator" },
    { name: "b", kind: "echo", prefix: "deprecated" },
  ];
  const [entry] = parseUpstreams(entries, [...upstreamKinds, echo], warnings);
  if (!entry || !echo.is(entry)) throw new Error("no entry of the kind");
  expect(warnings).toEqual(["upstreams[2].prefix is not used."]);
  expect(echo.baseUrls(entry)).toEqual(["http://hello.test"]);
  const upstream = await echo.open(entry, context);
  const events: ChatEvent[] = [];
  const request = { model, messages: [], search: undefined, thinking: undefined, stream: true };
  const sink = (batch: readonly ChatEvent[]) => void events.push(...batch);
  await upstream.chat(request, sink, new AbortController().signal);
  expect(events[0]).toEqual({ type: "text", text: "hello from a" });
});

test.each([
  [{ name: "a", kind: "echo" }, "upstreams[0].prefix: this setting is missing."],
  [{ name: "a", kind: "echo", prefix: 1 }, "upstreams[0].prefix: expected a text, in quotes."],
  [{ name: "a", kind: "echo", prefix: "x", baseUrl: "y" }, "upstreams[0].baseUrl: there is no such setting."],
  [{ name: "a", kind: "other" }, "upstreams[0].kind: expected simulator or echo."],
])("%j is refused by the schema of its kind", (entry, message) => {
  const kinds = [kindOf({ name: "s", kind: "simulator" }), echo];
  expect(() => parseUpstreams([entry], kinds, [])).toThrow(message);
});

test("an entry that is not valid for the kind is not opened", async () => {
  const entry = { name: "a", kind: "echo", prefix: 1 };
  await expect(echo.open(entry, context)).rejects.toThrow("a.prefix: expected a text, in quotes.");
  expect(() => kindOf(entry)).toThrow("There is no kind of upstream “echo”.");
});

test("an upstream of each registered kind names that kind", async () => {
  for (const { kind, open, schema } of upstreamKinds) {
    const settings = "baseUrl" in schema.properties ? { baseUrl: "http://127.0.0.1:9/v1" } : {};
    const upstream = await open({ name: "a", kind, ...settings }, context);
    expect(upstream.kind).toBe(kind);
    await upstream.close();
  }
});
