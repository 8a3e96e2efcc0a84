import { text } from "./text.js";

/** Texts of the file that `moonbridge init` writes; the meanings of the settings are in their schemas. */
export const templateMessages = {
  introduction: text(
    "Every setting of Moonbridge, with its default. Take off the // in front of what you change,\n" +
      "and of the section's first and last line.\n" +
      "All of them, with environment variables: docs/reference/settings.md",
    "Moonbridge 的全部设置项及其默认值。要修改哪一项，就去掉它前面的 //，\n" +
      "并去掉所在分组首行和末行的 //。\n" +
      "全部设置项和环境变量：docs/reference/settings.zh-CN.md",
  ),
  keySettings: (names: string) =>
    text(`An entry of "keys" may have: ${names}`, `"keys" 的每一项可以有：${names}`),
};
