import { expect, test } from "vitest";
import { commandExamples, helpMessages } from "../../src/i18n/help-messages.js";
import { repositoryRoot } from "./files.js";

const pages = [
  {
    key: "en" as const,
    page: "docs/reference/cli.md",
    introduction: `# Commands

[中文](cli.zh-CN.md)

\`moonbridge COMMAND --help\` lists the options. From a checkout: \`npm start -- COMMAND\`. The language is that of the locale, or
\`MOONBRIDGE_LANG\` (\`en\`, \`zh\`); colours follow \`NO_COLOR\` and \`FORCE_COLOR\`. This page is generated:
\`npx vitest run test/docs/cli.test.ts -u\`.

| Exit code | Meaning |
| --------- | ------- |
| 0 | done; after SIGINT or SIGTERM, a server that has stopped |
| 1 | failed or refused; the last line says why and what to do. \`doctor\`: a check failed |
| 130 | \`doctor\` was stopped with Ctrl+C |`,
  },
  {
    key: "zh" as const,
    page: "docs/reference/cli.zh-CN.md",
    introduction: `# 命令

[English](cli.md)

\`moonbridge 命令 --help\` 会列出选项。在源码中：\`npm start -- 命令\`。语言取自系统区域设置，或 \`MOONBRIDGE_LANG\`（\`en\`、\`zh\`）；颜色遵循 \`NO_COLOR\` 和 \`FORCE_COLOR\`。本页是生成的：\`npx vitest run test/docs/cli.test.ts -u\`。

| 退出码 | 含义 |
| ------ | ---- |
| 0 | 完成；服务器收到 SIGINT 或 SIGTERM 后正常停止 |
| 1 | 失败或被拒绝，最后一行说明原因和办法；\`doctor\`：有检查失败 |
| 130 | \`doctor\` 被 Ctrl+C 停止 |`,
  },
];

test.each(pages)("$page has every command with its examples", async ({ key, page, introduction }) => {
  const sections = Object.entries(helpMessages.commands).map(([path, description]) => {
    const examples = Object.entries(commandExamples).find(([each]) => each === path)?.[1] ?? [];
    const lines = examples.map(([command, meaning]) => `${command}  # ${meaning[key]}`);
    return `## ${path}\n\n${description[key]}\n\n\`\`\`sh\n${lines.join("\n")}\n\`\`\``;
  });
  await expect(`${[introduction, ...sections].join("\n\n")}\n`).toMatchFileSnapshot(
    `${repositoryRoot}/${page}`,
  );
});
