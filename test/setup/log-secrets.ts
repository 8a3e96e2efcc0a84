import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Keys and prompts of the tests contain CANARY, and every simulated token is a JWT; none may appear in a log. */
const secrets = [/CANARY/, /eyJ[\w-]{10,}\.[\w-]+/];

/** Collects the logs of the whole test run in one file and fails the run if it contains a secret. */
export default function setup(): () => void {
  const path = join(mkdtempSync(join(tmpdir(), "moonbridge-log-")), "log.ndjson");
  writeFileSync(path, "");
  process.env.MOONBRIDGE_TEST_LOG = path;
  return () => {
    const log = readFileSync(path, "utf8");
    for (const secret of secrets) {
      const leakingLine = log.split("\n").find((line) => secret.test(line));
      if (leakingLine) throw new Error(`a log line holds a secret (${secret}): ${leakingLine.slice(0, 200)}`);
    }
  };
}
