import { text } from "./text.js";

/** What is said when an account gets another name. */
export const accountMessages = {
  invalidName: (name: string) =>
    text(
      `“${name}” is no name for an account: expected 1 to 64 letters, digits, . _ or -`,
      `“${name}” 不能作为账号名：应为 1 到 64 个字母、数字、. _ 或 -`,
    ),
  isConfigured: (name: string) =>
    text(
      `The account “${name}” is in the configuration. Rename it there.`,
      `账号“${name}”写在配置里，请在配置里改名。`,
    ),
  isBuiltIn: text(
    "The built-in simulator has no other name. Connect an account.",
    "内置的模拟器不能改名。请连接一个账号。",
  ),
  noSuchAccount: (name: string) =>
    text(`There is no account “${name.slice(0, 64)}”.`, `没有账号“${name.slice(0, 64)}”。`),
  nameIsTaken: (name: string) =>
    text(
      `There is an account “${name}” already. Choose another name.`,
      `已经有账号“${name}”，请换一个名字。`,
    ),
  isAnswering: (name: string) =>
    text(
      `The account “${name}” is answering. Rename it when its answers have ended.`,
      `账号“${name}”正在回答。请等它回答完再改名。`,
    ),
  stillNamed: (setting: string, from: string, to: string) =>
    text(
      `${setting} in the config still names “${from}”. Write “${to}” there.`,
      `配置里的 ${setting} 仍写着“${from}”，请改成“${to}”。`,
    ),
  renamed: (from: string, to: string) =>
    text(`“${from}” is now “${to}”. Its chats go on.`, `“${from}”已改名为“${to}”，它的会话照常继续。`),
  renameTakesEffect: text(
    "A running Moonbridge uses the new name within seconds.",
    "正在运行的 Moonbridge 几秒内就会使用新名字。",
  ),
};
