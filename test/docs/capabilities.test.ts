import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { capabilityNames } from "../../simulator/index.js";
import { busySeconds, capabilities, capabilityFlags } from "../../src/core/capabilities.js";
import { repositoryRoot } from "./files.js";

const introduction = `# Capabilities

What Moonbridge assumes of Kimi although no capture proves it for every account. Each assumption has a name, a default and a safe
behaviour where it is false. \`moonbridge probe\` measures them on a person's own account ([guide](../guide/probe.md)); one that Kimi contradicts while Moonbridge runs is turned off, and counted as protocol drift. \`moonbridge doctor\` and \`GET /v1/accounts\` show what is
known of each account, and since when. The simulator can do without each of them ([\`--without\`](../reference/simulator.md)).

This page is generated: \`npx vitest run test/docs/capabilities.test.ts -u\` writes it after a change of
\`src/core/capabilities.ts\`. The grades are those of [kimi-web.md](kimi-web.md): CAP, a capture; LIVE, a client that works; CODE, only
code; GUESS, none of these.
`;

function section(name: string): string {
  if (name === busySeconds.name)
    return describe(busySeconds.name, `${busySeconds.default} seconds`, busySeconds);
  const flag = capabilityFlags.find((each) => each === name);
  if (!flag) throw new Error(`no capability ${name}`);
  return describe(flag, capabilities[flag].default ? "yes" : "no", capabilities[flag]);
}

type Described = {
  meaning: { en: string };
  grade: string;
  evidence: string;
  usedIn: readonly string[];
  fallback: { en: string };
  contradictedBy?: { en: string };
};

function describe(name: string, byDefault: string, capability: Described): string {
  const { meaning, grade, evidence, usedIn, fallback } = capability;
  const files = usedIn.map((file) => `[\`${file}\`](../../${file})`).join(", ");
  const lines = [
    `## ${name}`,
    "",
    meaning.en,
    "",
    `- Default: ${byDefault} (${grade}, [kimi-web.md ${evidence}](kimi-web.md))`,
    `- Used in: ${files || "nothing; it is only measured"}`,
    ...(files
      ? [`- ${name === busySeconds.name ? "What depends on it" : "Where it is false"}: ${fallback.en}`]
      : []),
    ...(capability.contradictedBy ? [`- Turned off when: ${capability.contradictedBy.en}`] : []),
  ];
  return lines.join("\n");
}

const names = [...capabilityFlags, busySeconds.name];

test("docs/protocol/capabilities.md is what the table of capabilities says", async () => {
  const page = `${[introduction, ...names.map(section)].join("\n")}\n`.replaceAll(/\n(## )/g, "\n\n$1");
  await expect(page.replaceAll(/\n{3,}/g, "\n\n")).toMatchFileSnapshot(
    `${repositoryRoot}/docs/protocol/capabilities.md`,
  );
});

test("the files in which a capability is used exist and name it", () => {
  for (const { usedIn } of [...Object.values(capabilities), busySeconds])
    for (const file of usedIn) {
      expect(existsSync(`${repositoryRoot}/${file}`)).toBe(true);
      expect(readFileSync(`${repositoryRoot}/${file}`, "utf8")).toMatch(/capabilities/);
    }
});

test("the simulator can do without each capability that is true or false", () => {
  const switches = new Set<string>(capabilityNames);
  // `afterCut` is the switch of the last one.
  const missing = capabilityFlags.filter((name) => !switches.has(name));
  expect(missing).toEqual(["readable-after-cut"]);
});
