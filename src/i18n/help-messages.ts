import { type LocalizedText, text } from "./text.js";

const forConfig = text(
  "configuration file (default: config.json in this folder, else in the user's config folder)",
  "配置文件（默认：当前文件夹的 config.json，否则用户配置文件夹中的）",
);

/** What `--help` says of commands, arguments and options. */
export const helpMessages = {
  program: text(
    "Your own Kimi account as an OpenAI-compatible API. For research and personal use.",
    "把你自己的 Kimi 账号变成兼容 OpenAI 的 API。仅供研究与个人使用。",
  ),
  version: text("output the version number", "显示版本号"),
  help: text("display help for command", "显示命令的帮助"),
  exitCodes: text(
    "Exit codes: 0 done, 1 failed or refused, 130 stopped with Ctrl+C (docs/reference/cli.md)",
    "退出码：0 完成，1 失败或被拒绝，130 被 Ctrl+C 停止（docs/reference/cli.zh-CN.md）",
  ),
  config: forConfig,
  commands: {
    serve: text("serve the API (the default command)", "提供 API（默认命令）"),
    init: text(
      "write a config.json with every setting, commented out",
      "写一份 config.json，列出全部设置项（已注释）",
    ),
    login: text(
      "connect a Kimi account: paste tokens, cookies, Local storage, “copy as cURL” or a HAR file",
      "连接 Kimi 账号：粘贴令牌、Cookie、Local storage、“Copy as cURL”或 HAR 文件",
    ),
    doctor: text(
      "check everything from the config to one short chat, and say what to do; exits with 1 if something fails",
      "检查从配置到一次简短对话的全部环节，并说明怎么办；有失败时退出码为 1",
    ),
    keys: text(
      "add, list and revoke API keys; a running server sees it at once",
      "新建、列出、吊销 API 密钥；正在运行的服务器立即生效",
    ),
    "keys add": text("make a key and print it, this once", "新建密钥并显示，只显示这一次"),
    "keys list": text(
      "show what each key may do and when it was last used; nothing of the keys themselves",
      "列出每个密钥的权限和最近使用时间；不显示密钥本身",
    ),
    "keys revoke": text(
      "a key, and the tokens issued for it, open nothing any more",
      "吊销密钥，以及用它换取的令牌",
    ),
    accounts: text(
      "list the accounts, where they come from and their state; asks nobody",
      "列出账号、来源和状态；不访问网络",
    ),
    "accounts rename": text(
      "give an account from a login another name; its chats go on",
      "给登录得来的账号改名，它的会话照常继续",
    ),
    usage: text(
      "requests, failures and tokens of each day, by key, model, account or outcome",
      "每天的请求数、失败数和 token 数，按密钥、模型、账号或结果统计",
    ),
    requests: text(
      "the last requests and how they ended; never their texts",
      "最近的请求及其结果；不含任何文本",
    ),
    backup: text(
      "copy the database and the uploaded files into a new folder; a server may go on running",
      "把数据库和上传的文件复制到新文件夹；服务器可以继续运行",
    ),
    store: text(
      "the database or Redis with all that Moonbridge keeps",
      "保存 Moonbridge 全部数据的数据库或 Redis",
    ),
    "store copy": text(
      "copy all of one store to another while no server runs; run it again if it was interrupted",
      "在没有服务器运行时把一个存储的全部内容复制到另一个；中断后可再次运行",
    ),
    health: text(
      "say whether the server of this configuration answers; exits with 1 if it does not",
      "检查这份配置的服务器是否应答；没有应答时退出码为 1",
    ),
    chats: text("the chats that Moonbridge has made at Kimi", "Moonbridge 在 Kimi 创建的会话"),
    "chats purge": text("delete them all, and only them, after a question", "确认后删除这些会话，只删除它们"),
    probe: text(
      "measure what Kimi does for your account, with about 13 messages of it, after a question",
      "用你的账号的约 13 条消息测量 Kimi 的行为，先询问",
    ),
    mcp: text(
      "serve Kimi as MCP tools over standard input and output, for agents that start it themselves",
      "通过标准输入输出把 Kimi 作为 MCP 工具提供给自己启动它的智能体",
    ),
    simulate: text("run the fake Kimi alone, for development", "单独运行模拟的 Kimi，供开发使用"),
  },
  options: {
    host: text("address to listen on (default: 127.0.0.1)", "监听地址（默认：127.0.0.1）"),
    port: text("port to listen on (default: 6867)", "监听端口（默认：6867）"),
    open: text("open the console in the browser, logged in", "在浏览器中打开控制台并登录"),
    record: text(
      "write down what Kimi is told and answers, redacted, for simulate --replay",
      "录制与 Kimi 的通信（已去除隐私），供 simulate --replay 使用",
    ),
    recordTexts: text("keep prompts and answers in the recording", "在录制中保留提示词和回答"),
    initConfig: text(
      "the file to write (default: config.json in this folder)",
      "要写的文件（默认：当前文件夹的 config.json）",
    ),
    name: text(
      "the upstream it is for (default: the only one of the config, or kimi)",
      "用于哪个上游（默认：配置中唯一的一个，或 kimi）",
    ),
    file: text("read it from a file; - is standard input", "从文件读取；- 表示标准输入"),
    offlineLogin: text("store it without asking Kimi", "不询问 Kimi，直接保存"),
    baseUrl: text("another address of Kimi's site", "Kimi 网站的另一个地址"),
    authUrl: text("another address of Kimi's account gateway", "Kimi 账号网关的另一个地址"),
    offlineDoctor: text("ask nothing of any network", "不访问任何网络"),
    json: text("print the findings as JSON", "以 JSON 输出检查结果"),
    jsonList: text("print JSON", "以 JSON 输出"),
    by: text("key, model, account or outcome (default: key)", "key、model、account 或 outcome（默认：key）"),
    from: text("the first day (default: 29 days ago)", "第一天（默认：29 天前）"),
    to: text("the last day (default: today)", "最后一天（默认：今天）"),
    follow: text("go on with those that end from now on", "继续显示之后结束的请求"),
    limit: text("how many, from 1 to 500 (default: 20)", "显示多少条，1 到 500（默认：20）"),
    ofKey: text("those of this key", "只显示这个密钥的"),
    ofModel: text("those of this model", "只显示这个模型的"),
    failed: text("those that failed", "只显示失败的"),
    scopes: text(
      "chat, admin or both: chat,admin (default: chat)",
      "chat、admin 或两者：chat,admin（默认：chat）",
    ),
    models: text(
      "models it may use, each with any suffixes (default: all)",
      "可以使用的模型，每个都可带任意后缀（默认：全部）",
    ),
    upstreams: text("upstreams that may answer it (default: all)", "可以为它回答的上游（默认：全部）"),
    requestsPerMinute: text(
      "chat requests a minute (default: any number)",
      "每分钟的对话请求数（默认：不限）",
    ),
    requestsPerDay: text("chat requests a day (default: any number)", "每天的对话请求数（默认：不限）"),
    tokensPerDay: text(
      "tokens of prompts and answers a day (default: any number)",
      "每天提示词和回答的 token 数（默认：不限）",
    ),
    concurrency: text(
      "chat requests at a time; further ones wait (default: any number)",
      "同时进行的对话请求数，更多的排队（默认：不限）",
    ),
    expires: text(
      "30d, 12h, or a date: 2026-12-31, to its end in UTC (default: never)",
      "30d、12h 或日期：2026-12-31，到当天 UTC 结束（默认：永不）",
    ),
    citations: text("how it is shown sources", "来源的显示方式"),
    chats: text("what becomes of its chats", "它的会话如何处理"),
    visibleErrors: text(
      "write the failure of a stream as text, too, for UIs that ignore errors",
      "把流中途的错误也写进正文，供忽略错误的界面使用",
    ),
    healthPort: text(
      "the port it listens on (default: that of the configuration)",
      "它监听的端口（默认：配置中的端口）",
    ),
    wait: text("how long to wait until it does (default: 0)", "最多等待多少秒（默认：0）"),
    folder: text(
      "folders whose files kimi_read may read (default: none)",
      "kimi_read 可以读取的文件夹（默认：无）",
    ),
    yes: text("do not ask", "不询问"),
    account: text("the account to measure (default: the only one)", "要测量的账号（默认：唯一的一个）"),
    pause: text("time between two messages (default: 6)", "两条消息之间的秒数（默认：6）"),
    jsonResults: text("print the results as JSON", "以 JSON 输出结果"),
    simulatorPort: text("port to listen on (default: any free one)", "监听端口（默认：任选空闲端口）"),
    pace: text("time between deltas (default: 25)", "两段输出之间的毫秒数（默认：25）"),
    without: text("what Kimi shall not do, separated by commas", "让 Kimi 不具备的能力，用逗号分隔"),
    strictness: text("request forms to refuse, separated by commas", "要拒绝的请求形式，用逗号分隔"),
    replay: text("answer what serve --record has written there", "用 serve --record 录下的内容回答"),
  },
  /** Titles and words that the library writes, by its English ones. */
  titles: {
    "Usage:": "用法：",
    "Arguments:": "参数：",
    "Options:": "选项：",
    "Commands:": "命令：",
  } satisfies Record<string, string>,
  examplesTitle: text("Examples:", "示例："),
};

/** An example: what is typed, and what it does. */
export type CommandExample = readonly [command: string, meaning: LocalizedText];

/** Examples of each command, by the command's path. */
export const commandExamples: Record<keyof typeof helpMessages.commands, readonly CommandExample[]> = {
  serve: [
    ["moonbridge", text("start on http://127.0.0.1:6867", "在 http://127.0.0.1:6867 启动")],
    ["moonbridge --open", text("and open the console", "并打开控制台")],
    ["moonbridge --port 7000", text("on another port", "换一个端口")],
    ["moonbridge --config ~/moonbridge.json", text("with this config", "使用这份配置")],
  ],
  init: [
    ["moonbridge init", text("write config.json in this folder", "在当前文件夹写 config.json")],
    ["moonbridge init --config ~/moonbridge.json", text("write another file", "写另一个文件")],
  ],
  login: [
    ["moonbridge login", text("paste into the terminal", "在终端中粘贴")],
    ["moonbridge login --file kimi.har", text("read a file", "读取文件")],
    ["moonbridge login --name me", text("for the upstream “me” of the config", "用于配置中的上游“me”")],
  ],
  doctor: [
    ["moonbridge doctor", text("check everything", "检查全部")],
    ["moonbridge doctor --offline", text("without any network", "不访问网络")],
  ],
  keys: [
    ["moonbridge keys add phone", text("a key for a phone", "给手机一个密钥")],
    ["moonbridge keys list", text("what there is", "列出全部")],
    ["moonbridge keys revoke phone", text("end it", "吊销")],
  ],
  "keys add": [
    ["moonbridge keys add phone", text("a key for chats", "用于对话的密钥")],
    [
      "moonbridge keys add guest --expires 30d --requests-per-day 100",
      text("with an end and a budget", "有期限和每日上限"),
    ],
  ],
  "keys list": [["moonbridge keys list", text("the table of keys", "密钥列表")]],
  "keys revoke": [["moonbridge keys revoke phone", text("end this key", "吊销这个密钥")]],
  accounts: [["moonbridge accounts", text("the table of accounts", "账号列表")]],
  "accounts rename": [
    ["moonbridge accounts rename kimi home", text("kimi is home from now on", "kimi 从此叫 home")],
  ],
  usage: [
    ["moonbridge usage", text("the last 30 days by key", "最近 30 天，按密钥")],
    ["moonbridge usage --by model --from 2026-12-01", text("by model, since a day", "从某天起，按模型")],
  ],
  requests: [
    ["moonbridge requests --follow", text("as they end", "持续显示")],
    ["moonbridge requests --failed --limit 100", text("the last failures", "最近的失败")],
  ],
  backup: [["moonbridge backup ~/moonbridge-backup", text("a new folder", "新文件夹")]],
  store: [
    [
      "moonbridge store copy sqlite:moonbridge.db redis://127.0.0.1:6379",
      text("move to Redis", "迁移到 Redis"),
    ],
  ],
  "store copy": [
    ['moonbridge store copy "$MOONBRIDGE_STORE" sqlite:moonbridge.db', text("back to a file", "迁回文件")],
  ],
  health: [["moonbridge health --wait 10", text("for at most 10 seconds", "最多等待 10 秒")]],
  chats: [["moonbridge chats purge", text("delete them all", "全部删除")]],
  "chats purge": [
    ["moonbridge chats purge --yes", text("without a question, in a script", "不询问，用于脚本")],
  ],
  probe: [
    ["moonbridge probe", text("measure the only account", "测量唯一的账号")],
    ["moonbridge probe --account me --json", text("one of several, as JSON", "多个账号中的一个，输出 JSON")],
  ],
  mcp: [["moonbridge mcp --folder ~/papers", text("files in it may be read", "可以读取其中的文件")]],
  simulate: [
    ["moonbridge simulate --port 7001", text("a fake Kimi on this port", "在这个端口运行模拟的 Kimi")],
    ["moonbridge simulate --replay today", text("answer from a recording", "用录制的内容回答")],
  ],
};
