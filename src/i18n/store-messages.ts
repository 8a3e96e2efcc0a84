import { text } from "./text.js";

/** Why the database cannot be used, and what to do. */
export const storeMessages = {
  cannotOpen: (path: string) =>
    text(
      `The database ${path} cannot be opened or its folder cannot be written. Set "store" to a file that can (MOONBRIDGE_STORE).`,
      `无法打开数据库 ${path}，或无法写入它的文件夹。请把 "store"（MOONBRIDGE_STORE）设为可以写入的文件。`,
    ),
  notAFile: (path: string) =>
    text(
      `The database ${path} is not a file. Set "store" to one.`,
      `数据库 ${path} 不是文件。请把 "store" 设为一个文件。`,
    ),
  otherProgram: (path: string) =>
    text(
      `The file ${path} belongs to another program. Set "store" to another file.`,
      `文件 ${path} 属于别的程序。请把 "store" 设为另一个文件。`,
    ),
  newerVersion: (path: string) =>
    text(
      `The database ${path} was written by a newer Moonbridge. Start that version, or restore a backup from before it.`,
      `数据库 ${path} 由更新版本的 Moonbridge 写入。请启动那个版本，或恢复之前的备份。`,
    ),
  unsafeFileSystem: (path: string) =>
    text(
      `The database ${path} lies on a file system that cannot keep it safe. Set "store" to a file on a local disk.`,
      `数据库 ${path} 所在的文件系统不能可靠地保存它。请把 "store" 设为本地磁盘上的文件。`,
    ),
  closed: (path: string) => text(`The database ${path} is closed.`, `数据库 ${path} 已关闭。`),
  notWritable: (path: string) =>
    text(
      `The database ${path} cannot be written. Let this user write the file and its folder, or set "store" to another file.`,
      `无法写入数据库 ${path}。请让当前用户可以写入这个文件及其文件夹，或把 "store" 设为另一个文件。`,
    ),
  damaged: (path: string) =>
    text(
      `The database ${path} is damaged. It holds refreshed tokens, API key hashes and where conversations stand: restore it from a backup, ` +
        "or move it away together with its -wal and -shm files and log in again.",
      `数据库 ${path} 已损坏。其中有刷新后的令牌、API 密钥的哈希和对话状态：请从备份恢复，或把它连同 -wal 和 -shm 文件一起移走，然后重新登录。`,
    ),
  notADatabase: (path: string) =>
    text(
      `The database ${path} is not a database, or is damaged. Restore it from a backup, move it away, or set "store" to another file.`,
      `${path} 不是数据库，或已损坏。请从备份恢复、把它移走，或把 "store" 设为另一个文件。`,
    ),
  busy: (path: string) =>
    text(
      `The database ${path} is held by another process. Try again; if that does not help, stop the other process.`,
      `数据库 ${path} 被另一个进程占用。请重试；如果没有用，请停止那个进程。`,
    ),
  diskFull: (path: string) =>
    text(
      `The database ${path} cannot be written: the disk is full. Free some space.`,
      `无法写入数据库 ${path}：磁盘已满。请腾出一些空间。`,
    ),
  diskError: (path: string) =>
    text(
      `The database ${path} could not be read or written: the disk reports an error. Check the disk and its free space.`,
      `无法读写数据库 ${path}：磁盘报告错误。请检查磁盘和剩余空间。`,
    ),
  noDatabase: (path: string) =>
    text(`There is no database ${path}, or it cannot be read.`, `没有数据库 ${path}，或无法读取。`),
  failed: (path: string) =>
    text(`The database ${path} could not be read or written.`, `无法读写数据库 ${path}。`),
  noEncryptionKey: text(
    "The database's logins are sealed, and there is no key to open them. Set MOONBRIDGE_ENCRYPTION_KEY to the one that " +
      "they were sealed with. If it is lost, move the database away and log in again.",
    "数据库中的登录是加密的，而没有密钥可以解开。请把 MOONBRIDGE_ENCRYPTION_KEY 设为加密时的密钥。如果密钥已丢失，请移走数据库并重新登录。",
  ),
  wrongEncryptionKey: text(
    "What is sealed in the database cannot be opened: MOONBRIDGE_ENCRYPTION_KEY is not the key that it was sealed with, or the " +
      "database was changed. Set the right key; after a rotation the one before goes into MOONBRIDGE_ENCRYPTION_KEY_OLD. " +
      "If it is lost, restore a backup, or move the database away and log in again.",
    "无法解开数据库中加密的内容：MOONBRIDGE_ENCRYPTION_KEY 不是加密时的密钥，或数据库被改动过。请设置正确的密钥；更换密钥之后，旧密钥放在 MOONBRIDGE_ENCRYPTION_KEY_OLD 中。如果密钥已丢失，请恢复备份，或移走数据库并重新登录。",
  ),
};
