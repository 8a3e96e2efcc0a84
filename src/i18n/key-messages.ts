import { type LocalizedText, text } from "./text.js";

/** What `moonbridge keys` says, and why a key cannot be added or revoked. */
export const keyMessages = {
  expiredAlready: text("expires: this time is over already.", "expires：这个时间已经过去。"),
  nameIsTaken: (name: string) =>
    text(
      `There is a key “${name}” already. Revoke it first, or choose another name.`,
      `已有名为“${name}”的密钥。请先吊销它，或换一个名字。`,
    ),
  modelsUncertain: (model: string) =>
    text(
      `Not all upstreams have said which models they have; none has “${model}” so far.`,
      `并非所有上游都给出了模型列表；目前没有上游有“${model}”。`,
    ),
  noSuchModel: (model: string, nearest: string | undefined) => {
    const advice =
      nearest === undefined
        ? text("GET /v1/models lists what there is.", "GET /v1/models 会列出全部模型。")
        : text(`Did you mean “${nearest}”?`, `你是指“${nearest}”吗？`);
    return text(
      `models: no upstream has “${model}”. ${advice.en}`,
      `models：没有上游有“${model}”。${advice.zh}`,
    );
  },
  isConfigured: (name: string) =>
    text(
      `The key “${name}” stands in the config. Take it out there.`,
      `密钥“${name}”写在配置文件里。请从那里删掉。`,
    ),
  noSuchKey: (name: string) =>
    text(
      `There is no key “${name}”. “moonbridge keys list” shows those there are.`,
      `没有名为“${name}”的密钥。“moonbridge keys list”会列出全部密钥。`,
    ),
  shownOnce: text(
    "The API key, shown this once; only its hash is kept:",
    "API 密钥只显示这一次，之后只保存它的哈希：",
  ),
  revoked: (name: string) => text(`The key “${name}” is revoked.`, `密钥“${name}”已吊销。`),
  columns: {
    name: text("NAME", "名字"),
    scopes: text("SCOPES", "权限"),
    created: text("CREATED", "创建于"),
    lastUse: text("LAST USE", "最近使用"),
    expires: text("EXPIRES", "到期"),
    limits: text("LIMITS", "限制"),
  } satisfies Record<string, LocalizedText>,
  ofToday: (used: number) => text(` (${used} today)`, `（今天 ${used}）`),
  unknownTime: text("unknown", "未知"),
  inTheConfig: text("in the config", "在配置中"),
  never: text("never", "从未"),
  noEnd: text("never", "永不"),
  over: text(" (over)", "（已过期）"),
  noLimits: text("none", "无"),
};
