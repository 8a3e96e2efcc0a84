import { text } from "./text.js";

/** What a copy of a store has. */
const partNames = {
  accounts: text("logins", "登录"),
  keys: text("API keys", "API 密钥"),
  capabilities: text("capabilities", "能力"),
  files: text("uploaded files", "上传的文件"),
  chats: text("chats", "会话"),
  nodes: text("turns", "对话轮次"),
  responses: text("responses", "回答"),
  requests: text("requests", "请求"),
};

/** What `backup`, `store copy`, `chats purge` and `health` print, and what can be wrong with their arguments. */
export const maintenanceMessages = {
  databaseCopied: (path: string) => text(`The database is in ${path},`, `数据库在 ${path}，`),
  filesCopied: (count: number, folder: string) =>
    text(`the uploaded files (${count}) are in ${folder}.`, `上传的文件（${count} 个）在 ${folder}。`),
  keepPrivate: text(
    "Logins and API keys' hashes are in the copy: keep it where only you can read it.",
    "里面有登录信息和 API 密钥的哈希：请放在只有你能读的地方。",
  ),
  keepEncryptionKey: text(
    "Its credentials are encrypted: keep MOONBRIDGE_ENCRYPTION_KEY too, which is not in the copy.",
    "其中的登录信息已加密：MOONBRIDGE_ENCRYPTION_KEY 不在备份里，请一并保管。",
  ),
  sameStore: text("Both are the same store.", "两者是同一个存储。"),
  storeInUse: text(
    "The other store has conversations of its own. Copy to an empty one, or to one that an earlier copy has begun.",
    "目标存储中已有自己的对话。请复制到空的存储，或之前未复制完的存储。",
  ),
  copiedPart: ({ part, from, to }: { part: keyof typeof partNames; from: number; to: number }) =>
    text(`${partNames[part].en}: ${to} of ${from}`, `${partNames[part].zh}：${to} / ${from}`),
  copyDone: (store: string) =>
    text(`Everything is in ${store}: set "store" to it.`, `全部内容已在 ${store} 中：请把 "store" 设为它。`),
  copyIncomplete: text(
    "Something is missing in the copy. Stop all servers and run the command again.",
    "副本不完整。请停止所有服务器，再运行一次这个命令。",
  ),
  filesStay: (folder: string) => text(`Uploaded files stay in ${folder}.`, `上传的文件仍在 ${folder} 中。`),
  folderNotWritable: (folder: string, code: string) =>
    text(
      `The folder ${folder} cannot be made or written (${code}).`,
      `无法创建或写入文件夹 ${folder}（${code}）。`,
    ),
  backupOfRedis: (address: string) =>
    text(
      `The store is Redis, which is backed up there: ${address}. Copy its append-only file or a snapshot (BGSAVE), the folder of ` +
        "uploaded files, and keep MOONBRIDGE_ENCRYPTION_KEY elsewhere.",
      `存储是 Redis，要在那里备份：${address}。请复制它的 AOF 文件或快照（BGSAVE），以及上传文件的文件夹，并把 MOONBRIDGE_ENCRYPTION_KEY 另外保存。`,
    ),
  folderNotEmpty: (folder: string) =>
    text(
      `The folder ${folder} is not empty. A backup is written into a new folder.`,
      `文件夹 ${folder} 不是空的。备份要写到新文件夹里。`,
    ),
  fileNotCopied: (file: string, code: string) =>
    text(`The file ${file} could not be copied (${code}).`, `无法复制文件 ${file}（${code}）。`),

  noChats: text("Moonbridge has no chats at Kimi.", "Moonbridge 在 Kimi 没有会话。"),
  nothingDeleted: text("Nothing was deleted.", "什么都没有删除。"),
  chatsDeleted: (count: number) => text(`Chats deleted: ${count}.`, `已删除 ${count} 个会话。`),
  chatsLeft: (count: number) =>
    text(
      `Chats left: ${count}. They are being answered, or Kimi could not delete them. A running Moonbridge tries again by itself.`,
      `还剩 ${count} 个会话：正在回答，或者 Kimi 没能删除。运行中的 Moonbridge 会自动再试。`,
    ),
  purgeNeedsYes: text(
    "“chats purge” asks before it deletes. Add --yes where nobody can answer.",
    "“chats purge”删除之前会询问。没有人能回答时，请加上 --yes。",
  ),
  purgeWarning: (count: number) =>
    text(
      `Moonbridge has made chats at Kimi: ${count}. Your own chats there are not touched.`,
      `Moonbridge 在 Kimi 创建了 ${count} 个会话。你自己的会话不受影响。`,
    ),
  purgeEffect: text(
    "UIs keep their conversations and continue them in new chats.",
    "聊天界面里的对话还在，继续时会新建会话。",
  ),
  purgeQuestion: text("Delete them all? [y/N] ", "全部删除？[y/N] "),

  answersAt: (url: string) => text(`Moonbridge answers at ${url}.`, `Moonbridge 在 ${url} 应答。`),
  nothingAt: (url: string) => text(`Nothing answers at ${url}.`, `${url} 没有应答。`),
};
