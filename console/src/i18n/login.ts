import { catalogue } from "./language.jsx";

/** By error code; others are explained by `issuerRefused`. */
type Explanations = Readonly<Record<string, { why: string; remedy: string } | undefined>>;

const issuerErrors: Record<"en" | "zh", Explanations> = {
  en: {
    insufficient_scope: {
      why: "Your account there does not have the scope that stands for an administrator.",
      remedy: "Have it granted (oauth.adminScope in the config), or enter an admin key below.",
    },
    issuer_unavailable: {
      why: "Your identity provider cannot be reached from Moonbridge.",
      remedy: "Try again when it is back, or enter an admin key below.",
    },
    rate_limited: {
      why: "Too many logins from here have failed.",
      remedy: "Wait half a minute, then try again.",
    },
  },
  zh: {
    insufficient_scope: {
      why: "你在那里的账号没有代表管理员的 scope。",
      remedy: "请让人授予（配置里的 oauth.adminScope），或者在下面输入管理密钥。",
    },
    issuer_unavailable: {
      why: "Moonbridge 连不上你的身份提供方。",
      remedy: "等它恢复后再试，或者在下面输入管理密钥。",
    },
    rate_limited: {
      why: "从这里登录失败的次数太多。",
      remedy: "等半分钟再试。",
    },
  },
};

export const loginMessages = catalogue(
  {
    title: "Log in to Moonbridge",
    intro:
      "Open the address with the code that Moonbridge printed when it started, or enter an API key with the scope “admin”.",
    key: "Admin key",
    submit: "Log in",
    codeRefused: "The code of this address no longer works",
    codeWhy: "A code works once, for ten minutes after the start.",
    codeRemedy: "Start Moonbridge again for a new one, or enter an admin key below.",
    failed: "The login did not work",
    noKey: "No key at hand? In a terminal:",
    noKeyHelp: "Command that makes an admin key",
    checking: "Logging in…",
    byIssuer: (host: string) => `Log in with ${host}`,
    or: "or",
    issuerFailed: "The login by your identity provider did not work",
    issuerErrors: issuerErrors.en,
    issuerRefused: {
      why: "It let nobody in, the login was begun in another browser or more than ten minutes ago, or its tokens are not for this server.",
      remedy:
        "Try again. If that does not help, ask the administrator to compare oauth in the config with the identity provider.",
    },
  },
  {
    title: "登录 Moonbridge",
    intro: "打开 Moonbridge 启动时打印的带验证码的地址，或者输入一个带 admin 权限的 API 密钥。",
    key: "管理密钥",
    submit: "登录",
    codeRefused: "这个地址里的验证码已经失效",
    codeWhy: "验证码只能用一次，启动后十分钟内有效。",
    codeRemedy: "重新启动 Moonbridge 获取新的，或者在下面输入管理密钥。",
    failed: "登录没有成功",
    noKey: "手边没有密钥？在终端运行：",
    noKeyHelp: "生成管理密钥的命令",
    checking: "正在登录…",
    byIssuer: (host: string) => `通过 ${host} 登录`,
    or: "或者",
    issuerFailed: "通过身份提供方登录没有成功",
    issuerErrors: issuerErrors.zh,
    issuerRefused: {
      why: "它没有放行，或者这次登录是在别的浏览器里开始的、已超过十分钟，或者它的令牌不是给这台服务器的。",
      remedy: "再试一次。如果还不行，请管理员对照检查配置里的 oauth 和身份提供方的设置。",
    },
  },
);
