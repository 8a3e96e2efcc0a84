import { fromJson, toJson } from "@bufbuild/protobuf";
import { StructSchema } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Simulator, startSimulator } from "../../simulator/index.js";
import { chatMethod } from "../connect-chat-method.js";
import { chatRequest, toRecord } from "./client.js";

let simulator: Simulator;
const method = chatMethod();

beforeAll(async () => {
  simulator = await startSimulator();
});
afterAll(() => simulator.close());

async function streamChat(text: string, options = {}): Promise<Record<string, unknown>[]> {
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
    yield fromJson(StructSchema, JSON.parse(JSON.stringify(chatRequest(text, { options }))));
  }
  const response = await transport.stream(method, undefined, undefined, undefined, input());
  const events: Record<string, unknown>[] = [];
  for await (const message of response.message) events.push(toRecord(toJson(method.output, message)));
  return events;
}

function joinBlocks(events: readonly Record<string, unknown>[], kind: "text" | "think"): string {
  return events.map(({ block }) => toRecord(toRecord(block)[kind]).content ?? "").join("");
}

test("a Connect client reads a plain answer completely", async () => {
  const events = await streamChat("sim:say=Hello from elsewhere.");
  expect(joinBlocks(events, "text")).toBe("Hello from elsewhere.");
  expect(events.at(-1)).toHaveProperty("done");
});

test("a Connect client reads thinking", async () => {
  const events = await streamChat("2+2?", { thinking: true, reasoning_effort: "REASONING_EFFORT_LOW" });
  expect(joinBlocks(events, "think")).toContain("Simulated");
  expect(joinBlocks(events, "text")).toContain("2+2?");
});

test("a Connect client reads compressed frames", async () => {
  simulator.fault({ kind: "gzip" });
  expect(joinBlocks(await streamChat("sim:say=packed"), "text")).toBe("packed");
});

test("a Connect client parses the error trailer with its details", async () => {
  simulator.fault({ kind: "error-late", code: "resource_exhausted", reason: "REASON_RATE_LIMIT_EXCEEDED" });
  const error = await streamChat("hello").catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(ConnectError);
  expect(error).toMatchObject({
    code: Code.ResourceExhausted,
    details: [{ type: "common.error.v1.ErrorDetail", debug: { reason: "REASON_RATE_LIMIT_EXCEEDED" } }],
  });
});

test("a Connect client rejects a stream without a trailer", async () => {
  simulator.fault({ kind: "no-trailer" });
  await expect(streamChat("hello")).rejects.toBeInstanceOf(ConnectError);
});
