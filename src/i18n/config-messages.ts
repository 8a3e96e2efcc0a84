import { expectedValueInChinese } from "./expected-values.js";
import { type LocalizedText, text, untranslated } from "./text.js";

/**
 * What can be wrong with the configuration. `setting` is the setting's path, or the name of its variable or option; no
 * message quotes a setting's value.
 */
export const configMessages = {
  notValid: text("The configuration is not valid.", "配置无效。"),
  noSuchSetting: (setting: string) =>
    text(`${setting}: there is no such setting.`, `${setting}：没有这个设置项。`),
  missingSetting: (setting: string) =>
    text(`${setting}: this setting is missing.`, `${setting}：缺少这个设置项。`),
  /** `description` is the English one of a schema. */
  expected: (setting: LocalizedText, description: string, quotes: keyof typeof quotesAdvice) =>
    text(
      `${setting.en}: expected ${description}${quotesAdvice[quotes].en}.`,
      `${setting.zh}：应为${expectedValueInChinese(description)}${quotesAdvice[quotes].zh}。`,
    ),
  theFile: text("the file", "配置文件"),
  expectedWholeNumber: (setting: string) =>
    text(`${setting}: expected a whole number.`, `${setting}：应为整数。`),
  expectedNumber: (setting: string) => text(`${setting}: expected a number.`, `${setting}：应为数字。`),
  expectedBoolean: (setting: string) =>
    text(`${setting}: expected true or false.`, `${setting}：应为 true 或 false。`),
  expectedJson: (setting: string) => text(`${setting}: expected JSON.`, `${setting}：应为 JSON。`),
  expectedObject: (path: string) =>
    text(`${path}: expected an object in braces.`, `${path}：内容应为花括号中的对象。`),
  missingFile: (path: string) => text(`${path}: there is no such file.`, `${path}：没有这个文件。`),
  unreadableFile: (path: string) => text(`${path}: this file cannot be read.`, `${path}：无法读取这个文件。`),
  fileIsFolder: (path: string) =>
    text(`${path}: this is a folder, not a file.`, `${path}：这是文件夹，不是文件。`),
  notJson: (path: string, problem: LocalizedText) => text(`${path}, ${problem.en}`, `${path}，${problem.zh}`),
  foreignCharacter: (line: number, found: string, instead: string) =>
    text(
      `line ${line}: this is not JSON (${found} is no character of it; write ${instead} instead).`,
      `第 ${line} 行：不是 JSON（其中没有 ${found} 这个字符；请改成 ${instead}）。`,
    ),
  parseError: (line: number, code: string) =>
    text(`line ${line}: this is not JSON (${code}).`, `第 ${line} 行：不是 JSON（${code}）。`),
  openQuote: (line: number, setting: string) =>
    text(
      `line ${line}, ${setting}: this text has no closing quote on its line. Join its lines into one.`,
      `第 ${line} 行，${setting}：这段文字在本行没有结束引号。请把它并成一行。`,
    ),
  fileIsUtf16: (path: string) =>
    text(
      `${path}: this file is UTF-16, not UTF-8. Save it as UTF-8.`,
      `${path}：这个文件是 UTF-16，不是 UTF-8。请另存为 UTF-8。`,
    ),
  fileIsNotUtf8: (path: string) =>
    text(
      `${path}: this file is not UTF-8. Save it as UTF-8.`,
      `${path}：这个文件不是 UTF-8。请另存为 UTF-8。`,
    ),
  nameIsTaken: (setting: string) =>
    text(`${setting}: another one has this name already.`, `${setting}：这个名字已经用过了。`),
  noSuchTime: (setting: string) =>
    text(`${setting}: there is no such day or time.`, `${setting}：没有这个日期或时间。`),
  noSuchUpstream: (setting: string, name: string) =>
    text(`${setting}: there is no upstream “${name}”.`, `${setting}：没有名为“${name}”的上游。`),
  expectedRegularExpression: (setting: string) =>
    text(`${setting}: expected a regular expression.`, `${setting}：应为正则表达式。`),
  noHome: text(
    "This user has no home folder to keep the database in. Set MOONBRIDGE_STORE to a file, such as " +
      "sqlite:/data/moonbridge.db, or HOME to a folder.",
    "这个用户没有主目录，数据库无处存放。请把 MOONBRIDGE_STORE 设为一个文件，例如 sqlite:/data/moonbridge.db，或把 HOME 设为一个文件夹。",
  ),
  expectedRedisUrl: text(
    "store: expected redis://user:password@host:6379/0 or rediss://…, where only the host is needed; in a password, / is %2F, # is %23 and + is %2B.",
    "store：应为 redis://user:password@host:6379/0 或 rediss://…，其中只有主机名是必需的；密码中的 / 写成 %2F，# 写成 %23，+ 写成 %2B。",
  ),
  filesOnThisMachine: (folder: string) =>
    text(
      `Uploaded files are on this machine only, in ${folder}. Set files.folder to one that all processes share.`,
      `上传的文件只在这台机器上：${folder}。请把 files.folder 设为所有进程共享的文件夹。`,
    ),
  unusedDatabase: (path: string, other: string) =>
    text(
      `${other} is not used; the database is ${path}. MOONBRIDGE_STORE=sqlite:${other} chooses the other one.`,
      `没有使用 ${other}；数据库是 ${path}。要用前者，请设置 MOONBRIDGE_STORE=sqlite:${other}。`,
    ),
  quotesTakenOff: (variable: string) =>
    text(`${variable}: the quotes around its value were taken off.`, `${variable}：已去掉值两边的引号。`),
  unknownVariable: (variable: string, nearest: string | undefined) =>
    nearest === undefined
      ? text(`There is no variable ${variable}. It is not used.`, `没有环境变量 ${variable}，它不会生效。`)
      : text(
          `There is no variable ${variable}. The nearest is ${nearest}.`,
          `没有环境变量 ${variable}。最接近的是 ${nearest}。`,
        ),
  modelNameHasSpace: (setting: string) =>
    text(`${setting}: expected a name without space around it.`, `${setting}：名字两边不能有空格。`),
  modelNameIsTaken: (setting: string, other: string) =>
    text(`${setting}: ${other} has this name already.`, `${setting}：${other} 已经用了这个名字。`),
  aliasOfPattern: (setting: string) =>
    text(`${setting}: expected one model, not a pattern.`, `${setting}：应为一个模型，不能是模式。`),
  aliasOfAlias: (setting: string, model: string) =>
    text(
      `${setting}: “${model}” is an alias too; expected a model.`,
      `${setting}：“${model}”也是别名；这里应为模型。`,
    ),
  upstreamPrefix: (setting: string, upstream: string) =>
    text(
      `${setting}: “${upstream}/…” means a model of the upstream “${upstream}”.`,
      `${setting}：“${upstream}/…”表示上游“${upstream}”的模型。`,
    ),
  baseUrlOrRegion: (setting: string) =>
    text(
      `${setting}: expected either baseUrl or region.`,
      `${setting}：baseUrl 和 region 必须且只能有一个。`,
    ),
  uselessOldKey: (variable: string, current: string) =>
    text(
      `${variable}: this is of use only with a new ${current} beside it.`,
      `${variable}：只有同时设置新的 ${current} 才有用。`,
    ),
  expectedEncryptionKey: (variable: string) =>
    text(
      `${variable}: expected 32 bytes as base64 or hex. “openssl rand -base64 32” makes some.`,
      `${variable}：应为 32 字节，以 base64 或十六进制书写。可用“openssl rand -base64 32”生成。`,
    ),
  expectedHash: (setting: string) =>
    text(
      `${setting}: expected 64 hexadecimal digits after sha256:.`,
      `${setting}：sha256: 之后应为 64 位十六进制数字。`,
    ),
  keyOfForeignCharacters: (setting: string) =>
    text(
      `${setting}: no request header can carry this key. Use letters, digits and signs of ASCII, without a space around ` +
        "them and without “Bearer”.",
      `${setting}：请求头无法携带这个密钥。请使用 ASCII 的字母、数字和符号，两边不留空格，也不要写“Bearer”。`,
    ),
  keyRequired: text(
    "server.host: Moonbridge listens beyond this machine only with an API key of yours. " +
      'Set "token" in the config or MOONBRIDGE_TOKEN to one.',
    'server.host：只有设置了你自己的 API 密钥，才能监听本机以外的地址。请在配置中设置 "token"，或设置 MOONBRIDGE_TOKEN。',
  ),
  keylessLoopback: text(
    "every program on this machine can chat without an API key, as server.keylessLoopback says",
    "本机的所有程序无需 API 密钥即可对话（server.keylessLoopback）",
  ),
  textsKept: text(
    "journal.texts is on: prompts and answers are stored, and every administrator can read them. " +
      'Set "texts" of "journal" to false to stop this and to remove them.',
    'journal.texts 已打开：提问和回答会被保存，所有管理员都能看到。要停止保存并删除它们，请把 "journal" 的 "texts" 设为 false。',
  ),
  portInUse: (port: number, remedy: LocalizedText) =>
    text(
      `Port ${port} is in use${port === ollamaPort ? ", perhaps by Ollama itself" : ""}. ${remedy.en}`,
      `端口 ${port} 已被占用${port === ollamaPort ? "，可能是 Ollama 本身" : ""}。${remedy.zh}`,
    ),
  portNotAllowed: (port: number, remedy: LocalizedText) =>
    text(`Port ${port} is not allowed here. ${remedy.en}`, `这里不允许使用端口 ${port}。${remedy.zh}`),
  choosePort: text("Choose another with --port.", "请用 --port 换一个。"),
  removePort: text("Take it out of server.alsoListen.", "请把它从 server.alsoListen 中去掉。"),
  foreignHost: (host: string) =>
    text(`server.host: ${host} is no address of this machine.`, `server.host：${host} 不是本机的地址。`),
  unusableToken: (setting: string, problem: LocalizedText) =>
    text(`${setting}: ${problem.en}`, `${setting}：${problem.zh}`),
};

const ollamaPort = 11_434;

const quotesAdvice = {
  fine: untranslated(""),
  missing: text(", in quotes", "，要加引号"),
  superfluous: text(", without quotes", "，不要加引号"),
};
