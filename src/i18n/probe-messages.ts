import { type LocalizedText, text } from "./text.js";

/** What `moonbridge probe` asks, prints, and what can be wrong with its arguments. */
export const probeMessages = {
  noAccount: text(
    "There is no Kimi account to measure. Connect one with “moonbridge login”.",
    "没有可以测量的 Kimi 账号。请用“moonbridge login”连接一个。",
  ),
  whichAccount: (names: string) =>
    text(
      `Name one of these accounts with --account: ${names}.`,
      `请用 --account 指定其中一个账号：${names}。`,
    ),
  warning: (account: string, messages: number) =>
    text(
      `This sends about ${messages} short messages, and one of 450,000 characters, to Kimi with your account “${account}”. They count against its quota.`,
      `这会用你的账号“${account}”向 Kimi 发送约 ${messages} 条短消息，其中一条有 450,000 个字符。它们计入该账号的额度。`,
    ),
  effect: text(
    "Their chats are deleted again. What is found out is stored and changes how Moonbridge treats this account. It takes some minutes.",
    "相应的会话随后删除。结果会保存下来，并改变 Moonbridge 对待这个账号的方式。需要几分钟。",
  ),
  question: text("Begin? [y/N] ", "开始吗？[y/N] "),
  nothingSent: text("Nothing was sent.", "没有发送任何消息。"),
  needsYes: text(
    "“probe” asks before it sends messages. Add --yes where nobody can answer.",
    "“probe”发送消息之前会询问。没有人能回答时，请加上 --yes。",
  ),
  expectedSeconds: text("expected a number of seconds up to 60.", "应为不超过 60 的秒数。"),
  probing: (seconds: number) => text(`measuring… ${seconds} s`, `正在测量…… ${seconds} 秒`),
  yes: text("yes", "是"),
  no: text("no", "否"),
  seconds: (seconds: number) => text(`${seconds} s`, `${seconds} 秒`),
  measured: (name: string, value: LocalizedText, assumed: LocalizedText | undefined) =>
    assumed === undefined
      ? text(`${name}: ${value.en}`, `${name}：${value.zh}`)
      : text(
          `${name}: ${value.en} (assumed: ${assumed.en})`,
          `${name}：${value.zh}（原先假定：${assumed.zh}）`,
        ),
  unclear: (name: string, code: string) =>
    text(`${name}: not shown (${code})`, `${name}：没有测出（${code}）`),
  skipped: (name: string, code: string) =>
    text(`${name}: not tried (${code})`, `${name}：没有测量（${code}）`),
  ended: (code: string) =>
    text(
      `The probe ended early: ${code}. What was measured is stored; run it again later for the rest.`,
      `测量提前结束：${code}。已测的结果已保存；其余的以后再运行一次即可。`,
    ),
  shareable: (version: string) =>
    text(
      `Moonbridge ${version}. These lines name no person, account, token or chat, and can be shared.`,
      `Moonbridge ${version}。以上各行不含个人、账号、令牌或会话，可以分享。`,
    ),
};
