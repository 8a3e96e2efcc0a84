import { expect, test } from "vitest";
import { exampleRequests } from "../../src/cli/example-request.js";

const url = "http://127.0.0.1:6867";

test("Windows gets one command for each of its shells, each on one line and in ASCII", () => {
  const requests = exampleRequests("win32", url, "sk-CANARY");
  expect(requests.map(({ shell }) => shell)).toEqual(["cmd", "PowerShell"]);
  for (const { lines } of requests) {
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^[ -~]+$/);
    expect(lines[0]).toContain("Bearer sk-CANARY");
  }
  // cmd knows double quotes only, and PowerShell takes a backslash before one as itself.
  expect(requests[0]?.lines[0]).not.toContain("'");
  expect(requests[1]?.lines[0]).not.toContain("\\");
});

test("without a key each shell reads its own variable", () => {
  expect(exampleRequests("win32", url, undefined).flatMap(({ lines }) => lines)).toEqual([
    expect.stringContaining("Bearer %MOONBRIDGE_KEY%"),
    expect.stringContaining("Bearer $env:MOONBRIDGE_KEY"),
  ]);
  expect(exampleRequests("linux", url, undefined)[0]?.lines[0]).toContain(
    '"Authorization: Bearer $MOONBRIDGE_KEY"',
  );
});
