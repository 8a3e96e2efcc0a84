import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Keys and prompts of the tests say CANARY; every simulated token is a JWT. None may reach a log. */
const secrets = [/CANARY/, /eyJ[\w-]{10,}\.[\w-]+/];

/** Collects the logs of the whole test run and fails the run if a secret is in them. */
export default function setup(): () => void {
  const path = join(mkdtempSync(join(tmpdir(), "moonbridge-log-")), "log.ndjson");
  writeFileSync(path, "");
  process.env.MOONBRIDGE_TEST_LOG = path;
  return () => {
    const log = readFileSync(path, "utf8");
    for (const secret of secrets) {
      const found = log.split("\n").find((line) => secret.test(line));
      if (found) throw new Error(`a log line holds a secret (${secret}): ${found.slice(0, 200)}`);
    }
  };
}
