import { type LocalizedText, text } from "./text.js";

/** What `doctor` says of Redis as the store. */
export const redisDoctorMessages = {
  redis: (
    address: string,
    { version, roundTrip, durability }: { version: string; roundTrip: number; durability: LocalizedText },
  ) =>
    text(
      `${address}, Redis ${version}, ${roundTrip.toFixed(1)} ms away; logins in it are sealed; ${durability.en}`,
      `${address}，Redis ${version}，往返 ${roundTrip.toFixed(1)} 毫秒；其中的登录已加密；${durability.zh}`,
    ),
  durability: ({
    hasAppendOnlyFile,
    appendFsync = "unknown",
    replicas,
  }: {
    hasAppendOnlyFile: boolean;
    appendFsync: string | undefined;
    replicas: number;
  }) =>
    hasAppendOnlyFile
      ? text(
          `append-only file, appendfsync ${appendFsync}, replicas: ${replicas}`,
          `有 AOF 文件，appendfsync ${appendFsync}，副本 ${replicas} 个`,
        )
      : text(`no append-only file, replicas: ${replicas}`, `没有 AOF 文件，副本 ${replicas} 个`),
  isReplica: text("Redis is a read-only replica", "Redis 是只读副本"),
  usePrimary: text('Set "store" to the primary.', '请把 "store" 设为主节点。'),
  evicts: (policy: string) =>
    text(
      `Redis removes what Moonbridge keeps when it is full (maxmemory-policy ${policy})`,
      `Redis 满了会删除 Moonbridge 的数据（maxmemory-policy ${policy}）`,
    ),
  setNoEviction: text(
    "Set maxmemory-policy noeviction in redis.conf.",
    "请在 redis.conf 中设置 maxmemory-policy noeviction。",
  ),
  noAppendOnlyFile: text(
    "A restart of Redis loses logins that were renewed since its last snapshot",
    "Redis 重启会丢失上次快照之后续期的登录",
  ),
  setAppendOnly: text(
    "Run CONFIG SET appendonly yes while Redis runs, and only then set it in redis.conf: started with it for the first time, Redis is empty.",
    "先在 Redis 运行时执行 CONFIG SET appendonly yes，再写入 redis.conf：如果第一次带着这个设置启动，Redis 会是空的。",
  ),
  noFsync: text(
    "A power cut loses logins that were renewed in the last half minute (appendfsync no)",
    "断电会丢失最近半分钟内续期的登录（appendfsync no）",
  ),
  setFsync: text("Set appendfsync everysec in redis.conf.", "请在 redis.conf 中设置 appendfsync everysec。"),
  isSlow: (milliseconds: number) =>
    text(
      `Redis is ${milliseconds.toFixed(0)} ms away, which delays every request several times`,
      `Redis 往返要 ${milliseconds.toFixed(0)} 毫秒，每个请求都会因此延迟数次`,
    ),
  moveCloser: text("Run Redis closer to Moonbridge.", "请让 Redis 离 Moonbridge 更近。"),
};
