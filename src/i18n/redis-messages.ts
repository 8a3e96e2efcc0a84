import { text } from "./text.js";

/** Why Redis cannot be used as the store, and what to do. `address` has no user and no password. */
export const redisMessages = {
  closed: (address: string) => text(`The store ${address} is closed.`, `存储 ${address} 已关闭。`),
  unreachable: (address: string) =>
    text(
      `The store ${address} cannot be reached. Start Redis, or correct "store" (MOONBRIDGE_STORE).`,
      `无法连接存储 ${address}。请启动 Redis，或改正 "store"（MOONBRIDGE_STORE）。`,
    ),
  noReply: (address: string) =>
    text(
      `The store ${address} does not answer in time. Check that Redis runs and is not overloaded${address.startsWith("rediss:") ? ", and that this port takes TLS" : ""}.`,
      `存储 ${address} 没有及时回应。请检查 Redis 是否在运行、是否过载${address.startsWith("rediss:") ? "，以及这个端口是否接受 TLS" : ""}。`,
    ),
  wrongPassword: (address: string) =>
    text(
      `The store ${address} refuses the user or password. Correct them in "store" (MOONBRIDGE_STORE).`,
      `存储 ${address} 拒绝了用户名或密码。请在 "store"（MOONBRIDGE_STORE）中改正。`,
    ),
  notPermitted: (address: string) =>
    text(
      `The store ${address} forbids its user a command that Moonbridge needs. Permit it all commands on keys of {moonbridge}:*.`,
      `存储 ${address} 不允许该用户执行 Moonbridge 需要的命令。请允许它对 {moonbridge}:* 的键执行所有命令。`,
    ),
  full: (address: string) =>
    text(
      `The store ${address} is full. Raise "maxmemory" of Redis, or free some of it.`,
      `存储 ${address} 已满。请调高 Redis 的 "maxmemory"，或释放一些内存。`,
    ),
  readOnly: (address: string) =>
    text(
      `The store ${address} is a read-only replica of Redis. Set "store" to the primary.`,
      `存储 ${address} 是 Redis 的只读副本。请把 "store" 设为主节点。`,
    ),
  cannotPersist: (address: string) =>
    text(
      `The store ${address} cannot write to its disk. Check the disk and the log of Redis.`,
      `存储 ${address} 无法写入磁盘。请检查磁盘和 Redis 的日志。`,
    ),
  notSynced: (address: string) =>
    text(
      `The store ${address} did not confirm in time that a login is on its disk. Check the disk, and "appendfsync" of Redis.`,
      `存储 ${address} 没有及时确认登录已写入磁盘。请检查磁盘和 Redis 的 "appendfsync"。`,
    ),
  tooOld: (address: string, version: string) =>
    text(
      `The store ${address} is Redis ${version}. Moonbridge needs Redis 7.0 or Valkey 7.2, or newer.`,
      `存储 ${address} 是 Redis ${version}。Moonbridge 需要 Redis 7.0、Valkey 7.2 或更新的版本。`,
    ),
  noEncryptionKey: (address: string) =>
    text(
      `The store ${address} is shared, so that logins in it must be sealed. Set MOONBRIDGE_ENCRYPTION_KEY, the same for all processes.`,
      `存储 ${address} 是共享的，其中的登录必须加密。请设置 MOONBRIDGE_ENCRYPTION_KEY，所有进程使用同一个。`,
    ),
  notReady: (address: string) =>
    text(
      `The store ${address} is not ready. Try again in a moment.`,
      `存储 ${address} 尚未就绪。请稍后重试。`,
    ),
  isCluster: (address: string) =>
    text(
      `The store ${address} is a node of a Redis Cluster, which Moonbridge cannot use. Set "store" to a single Redis.`,
      `存储 ${address} 是 Redis Cluster 的节点，Moonbridge 不能使用。请把 "store" 设为单个 Redis。`,
    ),
  tlsFailed: (address: string) =>
    text(
      `The certificate of the store ${address} cannot be verified. Set NODE_EXTRA_CA_CERTS to the certificate of its authority.`,
      `无法验证存储 ${address} 的证书。请把 NODE_EXTRA_CA_CERTS 设为其颁发机构的证书。`,
    ),
  noSuchDatabase: (address: string) =>
    text(
      `The store ${address} has no database of this number; Redis has 16 by default, from 0. Correct "store" (MOONBRIDGE_STORE).`,
      `存储 ${address} 没有这个编号的数据库；Redis 默认有 16 个，从 0 开始。请改正 "store"（MOONBRIDGE_STORE）。`,
    ),
  refused: (address: string) =>
    text(`The store ${address} refused a command.`, `存储 ${address} 拒绝了一条命令。`),
  failed: (address: string) =>
    text(`The store ${address} could not be read or written.`, `无法读写存储 ${address}。`),
  unexpectedReply: (address: string) =>
    text(
      `The store ${address} holds something that this Moonbridge did not write. Set "store" to another database of Redis.`,
      `存储 ${address} 中有并非由此 Moonbridge 写入的内容。请把 "store" 设为 Redis 的另一个数据库。`,
    ),
};
