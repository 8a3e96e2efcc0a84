import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createConfigTemplate } from "../../src/app/config-template.js";
import { loadAppConfig } from "../../src/app/load-config.js";
import { listSettings } from "../../src/config/list-settings.js";
import { ConfigFileSchema } from "../../src/config/schema.js";
import { languages } from "../../src/i18n/text.js";

async function load(content: string) {
  const path = join(mkdtempSync(join(tmpdir(), "moonbridge-init-")), "config.json");
  writeFileSync(path, content);
  const { configFile: _, store: __, files, ...config } = await loadAppConfig({ config: path }, {});
  const { folder: ___, ...fileSettings } = files;
  return { ...config, files: fileSettings };
}

describe.each(languages)("the config file that moonbridge init writes (%s)", (language) => {
  const template = createConfigTemplate(language);

  test("is valid as it is, and changes no default", async () => {
    expect(await load(template)).toEqual(await load("{}"));
  });

  test("is valid with everything uncommented, which sets every setting but the short form", async () => {
    // The files of a certificate must exist.
    const uncommented = template.replace(/^ {2}\/\/ (?! *"tls":)/gm, "  ");
    const config = await load(uncommented);
    expect(config).toMatchObject({
      keys: [{ name: "nextchat" }],
      upstreams: [{ name: "me", kind: "kimi-web" }],
      oauth: { issuer: "https://id.example.org" },
    });
    // What has a default has it in the file.
    const withoutDefault = ["keys", "upstreams", "oauth", "routes", "modelAliases", "notify"];
    const others = Object.entries(config).filter(([name]) => !withoutDefault.includes(name));
    expect(await load("{}")).toMatchObject(Object.fromEntries(others));
    for (const { path } of listSettings(ConfigFileSchema)) {
      if (["token", "auth_token", "refresh_token"].includes(path[0])) continue;
      expect(uncommented).toMatch(new RegExp(`^ +(// +)?"${path.at(-1)}": `, "m"));
    }
  });

  test("explains every setting without Markdown", () => {
    const settings = template.match(/^ {2}\/\/ +"[^"]+": (?!\{$)/gm) ?? [];
    const meanings = template.match(/^ {2}\/\/ +\/\/ \S.*$/gm) ?? [];
    // One more meaning says what an entry of keys may have.
    expect(meanings).toHaveLength(settings.length + 1);
    expect(template).not.toMatch(/`|\]\(/);
  });
});
