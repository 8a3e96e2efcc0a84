import { localize, type Message, text } from "./text.js";

/** What the commands other than `doctor`, `login` and `keys` print, and what can be wrong with their arguments. */
export const commandMessages = {
  noSuchCommand: (name: string, nearest: string | undefined) => {
    const advice =
      nearest === undefined
        ? text("“moonbridge help” lists the commands.", "“moonbridge help”会列出全部命令。")
        : text(`Did you mean “${nearest}”?`, `你是指“${nearest}”吗？`);
    return text(`There is no command “${name}”. ${advice.en}`, `没有命令“${name}”。${advice.zh}`);
  },
  expectedPort: text("expected a port from 0 to 65535.", "应为 0 到 65535 的端口。"),
  expectedMilliseconds: text("expected a number of milliseconds.", "应为毫秒数。"),
  recordTextsAlone: text(
    "--record-texts goes with --record and a folder.",
    "--record-texts 要和 --record 加文件夹一起使用。",
  ),
  recordFolder: (folder: string) =>
    text(
      `--record: ${folder} is no folder that can be written to.`,
      `--record：${folder} 不是可以写入的文件夹。`,
    ),
  replayFailed: (problem: string) => text(`--replay: ${problem}`, `--replay：${problem}`),
  noSuchStrictness: (name: string, names: string) =>
    text(`--strictness: "${name}" is none of ${names}.`, `--strictness："${name}" 不在其中：${names}。`),
  noSuchCapability: (name: string, names: string) =>
    text(`--without: "${name}" is none of ${names}.`, `--without："${name}" 不在其中：${names}。`),
  simulatorConfig: text(
    "A config.json that connects Moonbridge to this simulator:",
    "把 Moonbridge 连到这个模拟器的 config.json：",
  ),

  answers: text("Answers", "由谁回答"),
  address: text("Address", "地址"),
  console: text("Console", "控制台"),
  codeOpensOnce: text("(opens once, within ten minutes)", "（只能打开一次，十分钟内有效）"),
  apiKey: text("API key", "API 密钥"),
  config: text("Config", "配置文件"),
  database: text("Database", "数据库"),
  files: text("Files", "上传的文件"),
  simulatorAnswers: (login: string) =>
    text(
      `No Kimi account is connected: the built-in SIMULATOR answers. Connect one: ${login}`,
      `还没有连接 Kimi 账号：由内置模拟器回答。连接账号：${login}`,
    ),
  upstreamsAnswer: (names: string) => text(names, names),
  keyShownOnce: text("(shown once, only its hash is kept)", "（只显示这一次，之后只保存它的哈希）"),
  keyOfConfig: text("the one in your config", "配置文件中的密钥"),
  keyOfFirstStart: text(
    "the one that was shown at the first start, or: moonbridge keys add NAME",
    "第一次启动时显示的密钥；也可以新建：moonbridge keys add 名字",
  ),
  keyOfIssuer: (issuer: string) => text(`a token of ${issuer}`, `${issuer} 签发的令牌`),
  noConfigFile: (path: string) => text(`none; ${path} would be read`, `没有；可以放在 ${path}`),
  tryIt: text("Try it:", "试一下："),
  tryItWithVariable: text(
    "Try it, with the key in the shell's variable MOONBRIDGE_KEY:",
    "试一下（先把密钥放进 shell 变量 MOONBRIDGE_KEY）：",
  ),
  alsoAt: (urls: string) => text(`also ${urls}`, `还有 ${urls}`),
  listening: (url: string) => text(`listening on ${url}`, `正在监听 ${url}`),
  proxy: (proxies: string) => text(`proxy: ${proxies}`, `代理：${proxies}`),
  note: (warning: Message) => text(`note: ${localize(warning).en}`, `注意：${localize(warning).zh}`),
  stopping: text(
    "stopping: open streams may finish; press Ctrl+C again to stop at once",
    "正在停止：进行中的回答可以完成；再按一次 Ctrl+C 立即停止",
  ),
  recording: (folder: string, keepsTexts: boolean) =>
    text(
      `RECORDING what is said to Kimi and what it answers in ${folder}. Tokens are removed; ids, names of people and ` +
        "files, and signed addresses are replaced; " +
        (keepsTexts
          ? "prompts and answers are KEPT, as --record-texts says."
          : "prompts, answers and all other texts are blotted out."),
      `正在录制与 Kimi 的通信，写入 ${folder}。令牌已删除；id、人名、文件名和带签名的地址已替换；` +
        (keepsTexts ? "提示词和回答会保留（--record-texts）。" : "提示词、回答和其他文字已抹去。"),
    ),
  readBeforeSharing: text(
    "Do not share the folder without a look at what is in it.",
    "分享这个文件夹之前，请先看看里面有什么。",
  ),
  initWritten: (path: string) =>
    text(
      `Wrote ${path}: every setting, commented out, with its default.`,
      `已写入 ${path}：包含全部设置项，都已注释掉，并标出默认值。`,
    ),
  initNext: (named: string | undefined) =>
    named === undefined
      ? text("Edit it, then start Moonbridge again.", "编辑之后重新启动 Moonbridge。")
      : text(`Edit it, then: moonbridge --config ${named}`, `编辑之后运行：moonbridge --config ${named}`),
  initExists: (path: string) =>
    text(
      `${path} exists already and is left as it is. Choose another with --config.`,
      `${path} 已经存在，没有改动。请用 --config 换一个文件。`,
    ),
  initFailed: (path: string, code: string) =>
    text(
      `${path} cannot be written (${code}). Choose another file with --config.`,
      `无法写入 ${path}（${code}）。请用 --config 换一个文件。`,
    ),
  checking: (seconds: number) => text(`checking… ${seconds} s`, `正在检查…… ${seconds} 秒`),
  askingKimi: (seconds: number) => text(`asking Kimi… ${seconds} s`, `正在询问 Kimi…… ${seconds} 秒`),
};
