import { loginMessages } from "./login-messages.js";
import { joinSentences, type LocalizedText, text } from "./text.js";

const noLogin = text(
  "It carries no login. Copy a request whose address has /apiv2/ in it (F12 → Network), or take the tokens themselves.",
  "其中没有登录信息。请复制地址中含 /apiv2/ 的请求（F12 → Network），或直接复制令牌。",
);
const noToken = text("It holds no token of Kimi's.", "其中没有 Kimi 的令牌。");

/** What a paste looks like, and advice where it has no login. */
export const pasteFormats = {
  binary: {
    name: text("a picture or another binary file", "图片或其他二进制文件"),
    advice: text("The login is needed as text.", "登录信息须是文字。"),
  },
  webPage: {
    name: text("a web page", "网页"),
    advice: text("A page's source does not hold the login.", "网页源代码里没有登录信息。"),
  },
  har: {
    name: text("a HAR file", " HAR 文件"),
    advice: text(
      "Browsers leave the login out of a “sanitized” HAR. In Chrome allow “HAR with sensitive data” in the settings of " +
        "the developer tools and export it again, or take the tokens themselves.",
      "浏览器导出的“已清理”HAR 不含登录信息。请在 Chrome 开发者工具的设置中允许导出含敏感数据的 HAR 后重新导出，或直接复制令牌。",
    ),
  },
  curl: { name: text("a cURL command", " cURL 命令"), advice: noLogin },
  fetch: { name: text("a fetch call", " fetch 调用"), advice: noLogin },
  powerShell: { name: text("a PowerShell command", " PowerShell 命令"), advice: noLogin },
  config: { name: text("a config file", "配置文件"), advice: noToken },
  localStorage: {
    name: text("a copy of Local storage", " Local storage 的内容"),
    advice: joinSentences(noToken, text("Perhaps nobody is logged in there.", "可能那里没有登录。")),
  },
  headers: { name: text("the headers of a request", "请求头"), advice: noLogin },
  cookies: {
    name: text("cookies", " Cookie"),
    advice: text(
      "There is no kimi-auth among them: today's site keeps the login in Local storage.",
      "其中没有 kimi-auth：现在的网站把登录保存在 Local storage 中。",
    ),
  },
  json: { name: text("JSON", " JSON"), advice: noToken },
  plainText: { name: text("text", "普通文字"), advice: noToken },
};

/** Why a paste, or a setting for a token, has no usable login. */
export const pasteMessages = {
  tooLarge: joinSentences(
    text(
      "This is larger than 64 MB. Export a HAR of one page load only, or take the tokens themselves.",
      "内容超过 64 MB。请只导出一次页面加载的 HAR，或直接复制令牌。",
    ),
    loginMessages.tokenLocation,
  ),
  nothing: text("Nothing was pasted.", "没有粘贴任何内容。"),
  partOfToken: text(
    "This is only a part of a token, or a token of another service. Double-click the value to select all of it.",
    "这只是令牌的一部分，或是别的服务的令牌。请双击该值以选中全部。",
  ),
  ownKey: text(
    "This is a key of Moonbridge's own, for the programs that use it; the login is another thing.",
    "这是 Moonbridge 自己的密钥，供使用它的程序使用；这里需要的是 Kimi 的登录。",
  ),
  otherVendorsKey: text(
    "This is a key of another vendor's platform, not a login of Kimi's web chat.",
    "这是其他厂商平台的密钥，不是 Kimi 网页版的登录。",
  ),
  platformKey: text(
    "This is a key of Kimi's platform (sk-…), not a login of the web chat. It belongs into the config, in an upstream " +
      'of "kind": "openai".',
    '这是 Kimi 开放平台的密钥（sk-…），不是网页版的登录。请把它写进配置文件，放在 "kind": "openai" 的上游中。',
  ),
  foreignToken: (owner: string) =>
    text(
      `This token belongs to ${owner}; it is no login of Kimi's web chat.`,
      `这个令牌属于 ${owner}，不是 Kimi 网页版的登录。`,
    ),
  notWhole: (missingPart: string) =>
    text(
      `This token is not whole: ${missingPart} is missing. Double-click the value to select all of it, and copy again.`,
      "这个令牌不完整。请双击该值以选中全部，然后重新复制。",
    ),
  looksLike: ({ name, advice }: { name: LocalizedText; advice: LocalizedText }) =>
    text(`This looks like ${name.en}. ${advice.en}`, `这看起来是${name.zh}。${advice.zh}`),
  expired: (kind: "access" | "refresh", time: LocalizedText) =>
    text(
      `This ${kind} token expired ${time.en}.`,
      `这个${kind === "access" ? "访问" : "刷新"}令牌已于${time.zh}过期。`,
    ),
  shortLived: text(
    "Such tokens live 15 minutes: take the refresh token as well.",
    "这种令牌只有 15 分钟有效：请同时复制刷新令牌。",
  ),
};

/** Clauses that follow the name of a setting. */
export const tokenNotes = {
  placeholder: text("is still the sample's placeholder and is not used.", "仍是示例中的占位符，没有使用。"),
  notUsed: (problem: LocalizedText) => text(`is not used: ${problem.en}`, `没有使用：${problem.zh}`),
  otherUser: text(
    "holds a token of another user than the newest one, which is not used.",
    "中的令牌与最新的令牌不是同一个用户，没有使用。",
  ),
  foreignForm: text(
    "has another form than Kimi's refresh tokens; it is kept.",
    "的形式与 Kimi 的刷新令牌不同，仍予保留。",
  ),
  ofSetting: (setting: string, note: LocalizedText) => text(`${setting} ${note.en}`, `${setting} ${note.zh}`),
};
