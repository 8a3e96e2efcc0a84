import { expect, test } from "vitest";
import { toTerminalLogLine } from "../../src/observability/terminal-lines.js";

const time = new Date(2026, 10, 29, 14, 51, 2).getTime();

test("a request is one line with its path, its status and its fields", () => {
  const json = JSON.stringify({
    ...{ level: 30, time, reqId: "req_1", method: "POST", route: "/v1/chat/completions", status: 200 },
    ...{ milliseconds: 42, model: "k2", ignored: ["top_k", "seed"], msg: "request" },
  });
  expect(toTerminalLogLine(json, false)).toBe(
    "14:51:02 info  POST /v1/chat/completions 200 milliseconds=42 model=k2 ignored=top_k,seed\n",
  );
});

test("a request without a route shows its path", () => {
  const json = JSON.stringify({
    level: 30,
    time,
    method: "GET",
    route: "none",
    path: "/v2",
    status: 404,
    msg: "request",
  });
  expect(toTerminalLogLine(json, false)).toBe("14:51:02 info  GET /v2 404\n");
});

test("another event is one line with its message", () => {
  const json = JSON.stringify({ level: 40, time, error: { name: "TypeError" }, msg: "it failed" });
  expect(toTerminalLogLine(json, false)).toBe('14:51:02 warn  it failed error={"name":"TypeError"}\n');
});

test("colours are used only where the terminal has them", () => {
  const json = JSON.stringify({ level: 50, time, msg: "it failed" });
  expect(toTerminalLogLine(json, true)).toContain("\u001b[31mit failed\u001b[0m");
  expect(toTerminalLogLine(json, false)).not.toContain("\u001b");
});

test("texts of others cannot control the terminal", () => {
  const json = JSON.stringify({
    level: 30,
    time,
    model: "\u001b[2J\r\n",
    path: "/\u009b",
    method: "GET",
    status: 404,
    msg: "x\u202e",
  });
  expect(toTerminalLogLine(json, false)).toMatch(/^[^\p{Cc}\u202e]*\n$/u);
});

test("what is no JSON is shown as it is", () => {
  expect(toTerminalLogLine("not JSON\n", false)).toBe("not JSON\n");
});
