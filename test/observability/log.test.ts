import { expect, test } from "vitest";
import { createLog } from "../../src/observability/log.js";

function writtenLine(write: (logger: ReturnType<typeof createLog>) => void): Record<string, unknown> {
  const lines: string[] = [];
  write(createLog("trace", { write: (line: string) => lines.push(line) }));
  return JSON.parse(lines.join(""));
}

test("a log line has its fields and its message", () => {
  const line = writtenLine((log) =>
    log.info({ route: "/v1/models", status: 200, nested: { a: [1] } }, "request"),
  );
  expect(line).toMatchObject({ route: "/v1/models", status: 200, nested: { a: [1] }, msg: "request" });
});

test("control and bidi characters are escaped, and the line feed at the end is kept", () => {
  const lines: string[] = [];
  const text = "\u001b[2J\u009b1m\u202e\r\n";
  createLog("trace", { write: (line: string) => lines.push(line) }).warn({ mask: text }, text);
  expect(lines.join("")).toMatch(/^\{[^\p{Cc}\u202e]*\}\n$/u);
  expect(JSON.parse(lines.join(""))).toMatchObject({ mask: text, msg: text });
});

test("fields that hold secrets are left out, also nested ones", () => {
  const headers = { authorization: "Bearer secret" };
  const nested = { headers, accessToken: "secret", refreshToken: "secret", apiKey: "secret", kept: 1 };
  const line = writtenLine((log) =>
    log.trace({ headers, token: "secret", part: nested, kept: 2 }, "library"),
  );
  expect(JSON.stringify(line)).not.toContain("secret");
  expect(line).toMatchObject({ part: { kept: 1 }, kept: 2 });
});

test("a circular reference is written as [Circular]", () => {
  const part = { token: "", self: {} };
  part.self = part;
  expect(writtenLine((log) => log.trace({ part }, "library"))).toHaveProperty("part.self.self", "[Circular]");
});

test("only the name and the codes of an error are written, in whichever field it is", () => {
  const error = Object.assign(new TypeError("what was said"), { code: "E_X", upstreamCode: "BUSY" });
  for (const line of [
    writtenLine((log) => log.error(error, "failed")),
    writtenLine((log) => log.warn({ error }, "failed")),
    writtenLine((log) => log.error({ err: error, req: { headers: {} }, res: {} }, "failed")),
  ]) {
    expect(JSON.stringify(line)).not.toContain("what was said");
    expect(line.err ?? line.error).toEqual({ name: "TypeError", code: "E_X", upstreamCode: "BUSY" });
    expect(line).not.toHaveProperty("req");
  }
});
