import { withoutCredentials } from "../../config/store-location.js";
import { doctorMessages } from "../../i18n/doctor-messages.js";
import { redisDoctorMessages as messages } from "../../i18n/redis-doctor-messages.js";
import type { RedisState } from "../../store/redis/inspect-redis.js";
import type { Finding } from "./finding.js";

/** Round trips that make every request noticeably slower, in milliseconds. */
const slowRoundTrip = 20;

/** Reports how the Redis keeps what it is given, and how far away it is. Throws StoreError. */
export async function checkRedis(url: string): Promise<Finding[]> {
  const { inspectRedis } = await import("../../store/redis/inspect-redis.js");
  const state = await inspectRedis(url);
  const what = doctorMessages.subjects.store;
  const durability = messages.durability(state);
  const summary: Finding = {
    what,
    state: "ok",
    detail: messages.redis(withoutCredentials(url), { ...state, durability }),
  };
  return [summary, ...problemsOf(state).map((problem) => ({ what, ...problem }))];
}

function problemsOf(state: RedisState): Omit<Finding, "what">[] {
  const { evictionPolicy, isPrimary, hasAppendOnlyFile, appendFsync, roundTrip } = state;
  const problems: Omit<Finding, "what">[] = [];
  if (!isPrimary) problems.push({ state: "fail", detail: messages.isReplica, remedy: messages.usePrimary });
  if (evictionPolicy !== undefined && evictionPolicy !== "noeviction")
    problems.push({
      state: "fail",
      detail: messages.evicts(evictionPolicy),
      remedy: messages.setNoEviction,
    });
  if (!hasAppendOnlyFile)
    problems.push({ state: "warn", detail: messages.noAppendOnlyFile, remedy: messages.setAppendOnly });
  else if (appendFsync === "no")
    problems.push({ state: "warn", detail: messages.noFsync, remedy: messages.setFsync });
  if (roundTrip > slowRoundTrip)
    problems.push({ state: "warn", detail: messages.isSlow(roundTrip), remedy: messages.moveCloser });
  return problems;
}
