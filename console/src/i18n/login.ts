import { catalogue } from "./language.jsx";

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
  },
);
