import { type LocalizedText, text } from "./text.js";

const appended = (value: LocalizedText, en: string, zh: string) => text(value.en + en, value.zh + zh);

/** What `moonbridge doctor` checks, finds and advises. */
export const doctorMessages = {
  states: {
    ok: text("ok", "正常"),
    warn: text("warn", "注意"),
    fail: text("fail", "失败"),
  },
  subjects: {
    node: text("node", "Node.js"),
    config: text("config", "配置"),
    store: text("store", "数据库"),
    chats: text("chats", "会话"),
    keys: text("keys", "密钥"),
    address: text("address", "地址"),
    files: text("files", "文件"),
    clock: text("clock", "时钟"),
    network: text("network", "网络"),
    accounts: text("accounts", "账号"),
  },
  networkOf: (origin: string) => text(`network ${origin}`, `网络 ${origin}`),
  account: (name: string) => text(`account ${name}`, `账号 ${name}`),
  userOf: (account: LocalizedText) => appended(account, ", user", "，用户"),
  modelsOf: (account: LocalizedText) => appended(account, ", models", "，模型"),
  quotaOf: (account: LocalizedText) => appended(account, ", quota", "，额度"),
  chatOf: (account: LocalizedText) => appended(account, ", chat", "，对话"),
  capabilitiesOf: (account: LocalizedText) => appended(account, ", capabilities", "，能力"),

  notChecked: (name: string) =>
    text(`Moonbridge could not make this check (${name}).`, `Moonbridge 无法完成这项检查（${name}）。`),
  installNode: (version: string) =>
    text(`Install Node.js ${version} or newer.`, `请安装 Node.js ${version} 或更新的版本。`),
  versions: (node: string, machine: string, moonbridge: string) =>
    text(
      `Node.js ${node} on ${machine}; Moonbridge ${moonbridge}`,
      `Node.js ${node}，${machine}；Moonbridge ${moonbridge}`,
    ),
  noConfigFile: (searched: readonly string[]) =>
    text(
      `there is no ${searched.join(" or ")}; the defaults and the environment count`,
      `没有 ${searched.join(" 或 ")}；使用默认值和环境变量`,
    ),
  noUpstream: text("no upstream", "没有上游"),
  upstreams: (names: string) => text(`upstreams: ${names}`, `上游：${names}`),
  configFile: (file: LocalizedText, upstreams: LocalizedText) =>
    text(`${file.en} (${upstreams.en})`, `${file.zh}（${upstreams.zh}）`),

  sealed: text("logins in it are sealed", "其中的登录已加密"),
  notSealed: text("logins in it are not sealed", "其中的登录没有加密"),
  store: (path: string, size: string, encryption: LocalizedText) =>
    text(`${path}, ${size}; ${encryption.en}`, `${path}，${size}；${encryption.zh}`),
  readableByOthers: (detail: LocalizedText) =>
    appended(detail, "; other users of this machine can read it", "；本机的其他用户可以读取"),
  restrict: (path: string) =>
    text(`Its owner should run: chmod 600 ${path}*`, `请由它的所有者运行：chmod 600 ${path}*`),
  noDueChats: text("none is due for deletion", "没有等待删除的会话"),
  dueChats: (count: number) =>
    text(`${count} are due for deletion on Kimi's side`, `有 ${count} 个会话等待从 Kimi 删除`),
  letItRun: text(
    "Let Moonbridge run: it deletes them, as long as the login works.",
    "让 Moonbridge 运行即可：只要登录有效，它会删除它们。",
  ),

  filesInStore: text("what is kept stands in the store", "保存了什么记录在数据库中"),
  filesKept: (count: number, size: string) =>
    text(`${count} kept, ${size}`, `保存了 ${count} 个，共 ${size}`),
  filesNotWritable: (folder: string, code: string, used: LocalizedText) =>
    text(`${folder} cannot be written (${code}); ${used.en}`, `无法写入 ${folder}（${code}）；${used.zh}`),
  letWriteFiles: text(
    'Let this user write the folder, or set "files.folder" to another one.',
    '请让当前用户可以写入这个文件夹，或把 "files.folder" 设为别的文件夹。',
  ),
  files: (folder: string, exists: boolean, used: LocalizedText, free: string) =>
    text(
      `${folder}${exists ? "" : " (made when needed)"}; ${used.en}; ${free} left`,
      `${folder}${exists ? "" : "（需要时创建）"}；${used.zh}；剩余 ${free}`,
    ),
  freeSpace: (size: string) =>
    text(`Free some space: one file may have ${size}.`, `请腾出一些空间：单个文件最大 ${size}。`),

  noKeysButIssuer: text(
    "none; tokens of the issuer in the config open this server",
    "没有；用配置中签发方的令牌访问",
  ),
  keysUnknown: text("not known, since the store cannot be read", "无法得知，因为存储无法读取"),
  noKeysYet: text("none yet; the first start makes one and prints it", "还没有；第一次启动时会生成并显示"),
  noKeysForHost: (host: string) =>
    text(
      `none, and Moonbridge does not listen on ${host} without one`,
      `没有；而没有密钥时 Moonbridge 不会监听 ${host}`,
    ),
  makeKey: text(
    "Make one with “moonbridge keys add”, or set MOONBRIDGE_TOKEN to one.",
    "请用“moonbridge keys add”新建一个，或设置 MOONBRIDGE_TOKEN。",
  ),
  keyCounts: (configured: number, stored: number, admins: number) =>
    text(
      `${configured} in the config, ${stored} in the store; ` +
        (admins > 0
          ? `${admins} with the scope admin`
          : "none with the scope admin, which chatting does not need"),
      `配置中 ${configured} 个，数据库中 ${stored} 个；` +
        (admins > 0 ? `其中 ${admins} 个有 admin 权限` : "都没有 admin 权限，对话不需要它"),
    ),
  keyExpired: (name: string) => text(`“${name}” has expired and opens nothing`, `“${name}”已过期，不能再用`),
  replaceKey: text(
    "Make another with “moonbridge keys add”; remove this one.",
    "请用“moonbridge keys add”新建一个，并删掉它。",
  ),
  keyGuessable: (name: string) =>
    text(
      `“${name}” is short or as in a sample, and can be guessed`,
      `“${name}”太短，或与示例相同，容易被猜到`,
    ),
  takeLongerKey: (length: number) =>
    text(
      `Take one of ${length} characters or more: “moonbridge keys add” makes one.`,
      `请换成 ${length} 个字符以上的密钥：“moonbridge keys add”可以生成。`,
    ),

  exposed: (url: string) =>
    text(
      `${url} can be reached from other machines, and speaks no TLS: keys and chats go in clear`,
      `其他机器可以访问 ${url}，且没有 TLS：密钥和对话以明文传输`,
    ),
  putTlsInFront: text(
    'Set "server.tls" or put a proxy with TLS in front, and use long keys; or set "server.host" to 127.0.0.1.',
    '请设置 "server.tls" 或在前面放一个带 TLS 的代理，并使用长密钥；或把 "server.host" 设为 127.0.0.1。',
  ),
  anyFreePort: (host: string) => text(`${host}, any free port`, `${host}，任选空闲端口`),
  portIsFree: (url: string) => text(`${url} is free`, `${url} 空闲`),
  alreadyRunning: (version: string, url: string, simulates: boolean) =>
    text(
      `a Moonbridge ${version} answers at ${url}${simulates ? ", with the SIMULATOR" : ""}`,
      `Moonbridge ${version} 已在 ${url} 运行${simulates ? "，由模拟器回答" : ""}`,
    ),
  restartIt: text(
    "An account is connected here, and it uses none: it was started with another config or store, or before the config " +
      "changed. Restart it with these.",
    "这里已连接账号，而它没有使用：它启动时用的是另一份配置或数据库，或启动后配置有改动。请用这里的配置重新启动它。",
  ),

  offline: text(
    "nothing is asked of it (--offline): no clock is compared and no account tried",
    "不访问网络（--offline）：不比较时钟，也不测试账号",
  ),
  clockRight: (seconds: number, host: string) =>
    text(`within ${seconds} s of that of ${host}`, `与 ${host} 相差不超过 ${seconds} 秒`),
  clockWrong: (seconds: number, host: string) =>
    text(
      `${Math.abs(seconds)} s ${seconds > 0 ? "ahead of" : "behind"} that of ${host}`,
      `比 ${host} ${seconds > 0 ? "快" : "慢"} ${Math.abs(seconds)} 秒`,
    ),
  setClock: text(
    "Let this machine set its clock by the network (timedatectl set-ntp true, or its date settings): expiries of keys " +
      "and tokens go by it.",
    "请让本机自动校时（timedatectl set-ntp true，或在日期设置中打开）：密钥和令牌的有效期以它为准。",
  ),

  notTriedWithoutStore: text(
    "not tried: without the store a renewed login would be lost",
    "没有测试：没有数据库，续期后的登录会丢失",
  ),
  mendStore: text("Mend the store first.", "请先修复数据库。"),
  logInAgain: text(
    "Log in again before it does: “moonbridge login”.",
    "请在失效之前重新登录：“moonbridge login”。",
  ),
  accountState: (state: keyof typeof accountStates, detail: string, end: LocalizedText | undefined) =>
    text(
      `${state}: ${detail}${end === undefined ? "" : ` ${end.en}`}`,
      `${accountStates[state]}${end === undefined ? "" : `。${end.zh}`}（${detail}）`,
    ),
  wouldEnd: (time: LocalizedText) =>
    text(`If nobody renewed it, it would end ${time.en}.`, `如果不续期，${time.zh}失效`),
  ends: (time: LocalizedText) => text(`It ends ${time.en}.`, `${time.zh}失效`),
  stateEnds: (time: LocalizedText) => text(`This ends ${time.en}.`, `${time.zh}结束`),
  knownUser: (id: string) => text(`Kimi knows this login: user ${id}`, `Kimi 认得这个登录：用户 ${id}`),
  models: (count: number, meaning: string | undefined) =>
    text(
      `${count}; “kimi” means ${meaning ?? "none of them"}`,
      meaning === undefined ? `${count} 个；“kimi”不是其中任何一个` : `${count} 个；“kimi”是 ${meaning}`,
    ),
  builtInModels: (detail: LocalizedText, seconds: number) =>
    text(
      `${detail.en}. They are built in: Kimi did not list this account's within ${seconds} s`,
      `${detail.zh}。这是内置列表：Kimi 在 ${seconds} 秒内没有给出这个账号的模型`,
    ),
  builtInModelsWork: text(
    "Chats work with them meanwhile. If this stays, see the other lines about this account.",
    "暂时可以用它们对话。如果一直这样，请看这个账号的其他几行。",
  ),
  noQuota: text("Kimi names none", "Kimi 没有给出额度"),
  quota: (name: string, percent: number, resets: LocalizedText | undefined) =>
    text(
      `${name}: ${percent} % used${resets === undefined ? "" : `, anew ${resets.en}`}`,
      `${name}：已用 ${percent}%${resets === undefined ? "" : `，${resets.zh}重置`}`,
    ),
  waitForQuota: text(
    "Wait until it begins anew, or change your plan on Kimi's site.",
    "请等到额度重置，或在 Kimi 网站上更换套餐。",
  ),
  quotaNotNeeded: text("Chats do not depend on knowing it.", "不知道额度不影响对话。"),
  nothingMeasured: (count: number) =>
    text(
      `none of ${count} is measured; what is known of other accounts counts`,
      `${count} 项都没有测过；按其他账号的已知情况处理`,
    ),
  measure: text(
    "“moonbridge probe” measures them with about 13 messages of this account.",
    "“moonbridge probe”会用这个账号的约 13 条消息测量它们。",
  ),
  measured: (count: number, total: number, time: LocalizedText, differing: readonly LocalizedText[]) =>
    differing.length === 0
      ? text(
          `${count} of ${total} measured, the last ${time.en}; all are as assumed`,
          `测过 ${total} 项中的 ${count} 项，最近一次在${time.zh}；都与假定一致`,
        )
      : text(
          `${count} of ${total} measured, the last ${time.en}; otherwise than assumed: ${differing.map(({ en }) => en).join("; ")}`,
          `测过 ${total} 项中的 ${count} 项，最近一次在${time.zh}；与假定不同：${differing.map(({ zh }) => zh).join("；")}`,
        ),
  capability: (name: string, value: string) => text(`${name} = ${value}`, `${name} = ${value}`),
  turnedOff: (name: string, time: LocalizedText, meaning: LocalizedText) =>
    text(
      `${name} was turned off ${time.en}: Kimi did otherwise. It had been assumed: ${meaning.en}`,
      `${name} 已在${time.zh}关闭：Kimi 的行为与之不符。原先假定：${meaning.zh}`,
    ),
  turnedOffFallback: (fallback: LocalizedText) =>
    text(
      `Nothing needs to be done. ${fallback.en} “moonbridge probe” measures it anew.`,
      `无需处理。${fallback.zh}可以用“moonbridge probe”重新测量。`,
    ),
  noModel: text("there is no model to chat with", "没有可以对话的模型"),
  answered: (model: string, milliseconds: number) =>
    text(`${model} answered within ${milliseconds} ms`, `${model} 在 ${milliseconds} 毫秒内回答`),
  chatDeleted: (detail: LocalizedText) => appended(detail, "; the chat is deleted again", "；会话已删除"),
  chatNotDeleted: (detail: LocalizedText) =>
    appended(detail, "; the chat could not be deleted on Kimi's side", "；无法从 Kimi 删除这个会话"),
  runningDeletes: text(
    "A Moonbridge that runs deletes it, as long as the login works.",
    "只要登录有效，正在运行的 Moonbridge 会删除它。",
  ),
};

/** The states of `AccountStatus`. */
const accountStates = {
  ok: "正常",
  busy: "正忙",
  expiring: "即将失效",
  limited: "暂时受限",
  quota: "额度已用完",
  "login required": "需要重新登录",
  unavailable: "暂时不可用",
};
