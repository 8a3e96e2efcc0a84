import { fromJson, toJson } from "@bufbuild/protobuf";
import { StructSchema } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Simulator, startSimulator } from "../../simulator/index.js";
import { chatMethod } from "../chat-method.js";
import { question, record } from "./client.js";

let simulator: Simulator;
const method = chatMethod();

beforeAll(async () => {
  simulator = await startSimulator();
});
afterAll(() => simulator.close());

async function chat(text: string, options = {}): Promise<Record<string, unknown>[]> {
  const { accessToken } = simulator.issue();
  const transport = createConnectTransport({
    baseUrl: `${simulator.url}/apiv2`,
    httpVersion: "1.1",
    useBinaryFormat: false,
    interceptors: [
      (next) => (request) => {
        request.header.set("authorization", `Bearer ${accessToken}`);
        return next(request);
      },
    ],
  });
  async function* input() {
    yield fromJson(StructSchema, JSON.parse(JSON.stringify(question(text, { options }))));
  }
  const response = await transport.stream(method, undefined, undefined, undefined, input());
  const events: Record<string, unknown>[] = [];
  for await (const message of response.message) events.push(record(toJson(method.output, message)));
  return events;
}

function told(events: readonly Record<string, unknown>[], kind: "text" | "think"): string {
  return events.map(({ block }) => record(record(block)[kind]).content ?? "").join("");
}

test("a Connect client reads a plain answer to its end", async () => {
  const events = await chat("sim:say=Hello from elsewhere.");
  expect(told(events, "text")).toBe("Hello from elsewhere.");
  expect(events.at(-1)).toHaveProperty("done");
});

test("a Connect client reads a thought", async () => {
  const events = await chat("2+2?", { thinking: true, reasoning_effort: "REASONING_EFFORT_LOW" });
  expect(told(events, "think")).toContain("Simulated");
  expect(told(events, "text")).toContain("2+2?");
});

test("a Connect client unpacks compressed frames", async () => {
  simulator.fault({ kind: "gzip" });
  expect(told(await chat("sim:say=packed"), "text")).toBe("packed");
});

test("a Connect client takes the error trailer for what it is", async () => {
  simulator.fault({ kind: "error-late", code: "resource_exhausted", reason: "REASON_RATE_LIMIT_EXCEEDED" });
  const error = await chat("hello").catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(ConnectError);
  expect(error).toMatchObject({
    code: Code.ResourceExhausted,
    details: [{ type: "common.error.v1.ErrorDetail", debug: { reason: "REASON_RATE_LIMIT_EXCEEDED" } }],
  });
});

test("a Connect client notices a stream without its trailer", async () => {
  simulator.fault({ kind: "no-trailer" });
  await expect(chat("hello")).rejects.toBeInstanceOf(ConnectError);
});
