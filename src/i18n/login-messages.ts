import { type LocalizedText, text } from "./text.js";

/** What `moonbridge login` says. */
export const loginMessages = {
  instructions: text(
    "Paste what you have of Kimi's login: tokens, cookies, Local storage, “copy as cURL”, a HAR file.\n" +
      "Nothing of it is shown. Then press Enter twice, or Ctrl+D; Ctrl+C leaves.\n",
    "请粘贴手头的 Kimi 登录信息：令牌、Cookie、Local storage、“Copy as cURL”或 HAR 文件。\n" +
      "粘贴的内容不会显示。然后按两次回车，或按 Ctrl+D；按 Ctrl+C 退出。\n",
  ),
  unreadableFile: text(
    "--file: there is no such file, or it cannot be read.",
    "--file：没有这个文件，或无法读取。",
  ),
  nothingStored: text("Nothing was stored.", "没有保存任何内容。"),
  noSuchAccount: (names: readonly string[]) => {
    const available =
      names.length === 0
        ? text('It needs one of kind "kimi-web".', '需要一个 kind 为 "kimi-web" 的上游。')
        : text(`It has: ${names.join(", ")}.`, `其中有：${names.join("、")}。`);
    return text(
      `--name: the configuration has no such account. ${available.en}`,
      `--name：配置中没有这个账号。${available.zh}`,
    );
  },
  unverified: text("Kimi was not asked whether it accepts this login.", "没有询问 Kimi 是否接受这个登录。"),
  verified: (user: LocalizedText, isRenewed: boolean) =>
    text(
      `Kimi accepts this login${isRenewed ? " and has renewed it" : ""}: ${user.en}.`,
      `Kimi 接受这个登录${isRenewed ? "，并已续期" : ""}：${user.zh}。`,
    ),
  user: (id: string, nickname: string | undefined) =>
    nickname === undefined
      ? text(`user ${id}`, `用户 ${id}`)
      : text(`“${nickname}”, user ${id}`, `“${nickname}”，用户 ${id}`),
  storeOffline: text("--offline stores it without asking Kimi.", "用 --offline 可以不询问 Kimi 直接保存。"),
  tryOtherSite: text(
    "If this login is one of kimi.ai, add --base-url https://www.kimi.ai.",
    "如果这是 kimi.ai 的登录，请加上 --base-url https://www.kimi.ai。",
  ),
  keptRefreshToken: text(
    "The refresh token that was stored for this user is kept: the login goes on renewing itself.",
    "之前为这个用户保存的刷新令牌继续使用，登录会继续自动续期。",
  ),
  stored: (account: string, path: string) =>
    text(`Stored as the account “${account}” in ${path}.`, `已保存为账号“${account}”，在 ${path} 中。`),
  next: text(
    "Next: start Moonbridge. One that runs already uses it within 15 seconds.",
    "下一步：启动 Moonbridge。已经在运行的会在 15 秒内用上它。",
  ),

  found: (what: LocalizedText, format: LocalizedText | undefined) =>
    format === undefined
      ? text(`Found ${what.en}:`, `识别到${what.zh}：`)
      : text(`Found ${what.en} in ${format.en}:`, `在${format.zh}中识别到${what.zh}：`),
  cookie: text("the 30-day token of a kimi-auth cookie", " kimi-auth Cookie 的 30 天令牌"),
  accessToken: text("an access token", "访问令牌"),
  refreshToken: text("a refresh token", "刷新令牌"),
  olderRefreshToken: text("an older refresh token", "旧版刷新令牌"),
  both: (refreshToken: LocalizedText) =>
    text(`an access token and ${refreshToken.en}`, `访问令牌和${refreshToken.zh}`),
  rows: {
    site: text("site", "网站"),
    user: text("user", "用户"),
    accessToken: text("access token", "访问令牌"),
    refreshToken: text("refresh token", "刷新令牌"),
  },
  assumedSite: text(" (nothing says so; it is the usual one)", "（没有注明，这是通常的网站）"),
  unknownUser: text("unknown", "未知"),
  noExpiry: text("does not say when it expires", "没有注明到期时间"),
  expires: (time: LocalizedText) => text(`expires ${time.en}`, `${time.zh}到期`),
  tokenLocation: text(
    "Log in on Kimi's site, press F12, open Application (in Firefox: Storage) → Local storage → https://www.kimi.com " +
      "(or .ai), and copy the values of access_token and refresh_token.",
    "请登录 Kimi 网站，按 F12，打开 Application（应用；Firefox 为“存储”）→ Local storage（本地存储）→ https://www.kimi.com（或 .ai），复制 access_token 和 refresh_token 的值。",
  ),
  cookieAlone: text(
    "No refresh token belongs to this cookie, so the login ends with it, and Kimi may refuse it sooner. Today's " +
      "logins renew themselves.",
    "这个 Cookie 没有刷新令牌，登录会随它一起失效，Kimi 也可能更早拒绝它。现在的登录可以自动续期。",
  ),
  noRefreshToken: text(
    "The refresh token is missing: the login ends when the access token expires.",
    "缺少刷新令牌：访问令牌到期后，登录随之失效。",
  ),
  expiredAccessToken: text(
    "The access token has expired; that does no harm, the refresh token makes a new one.",
    "访问令牌已过期；没有关系，刷新令牌会换来新的。",
  ),
  noAccessToken: text(
    "There is no access token; that does no harm, the refresh token makes a new one.",
    "没有访问令牌；没有关系，刷新令牌会换来新的。",
  ),
  foreignForm: text(
    "The refresh token has another form than Kimi's; it is kept because of the field it stands in.",
    "刷新令牌的形式与 Kimi 的不同；因为它所在的字段名，仍予保留。",
  ),
  olderSite: text(
    "This refresh token was issued by the older site. Kimi may no longer renew it; it then serves an upstream of " +
      '"kind": "kimi-legacy" at best.',
    '这个刷新令牌由旧版网站签发，Kimi 可能不再为它续期；那样它最多只能用于 "kind": "kimi-legacy" 的上游。',
  ),
  otherUsers: (users: string) =>
    text(`Left out: tokens of another user (${users}).`, `未采用：另一个用户的令牌（${users}）。`),
  truncated: text("Left out: a token that was not copied whole.", "未采用：一个没有复制完整的令牌。"),
  clockBehind: text(
    "This token was issued in the future: is the clock of this machine right?",
    "这个令牌的签发时间在未来：本机的时钟准吗？",
  ),
};
