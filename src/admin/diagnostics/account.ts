import { limits } from "../../core/limits.js";
import type { ConversationStore } from "../../core/store.js";
import type { AccountStatus, Quota, Upstream } from "../../core/types.js";
import { formatTimeWithDistance } from "../../lib/relative-time.js";
import { describeFailure, type Finding, runCheck } from "./finding.js";
import { runShortChat } from "./short-chat.js";

export type AccountOptions = {
  /** Report local state only, without network requests. */
  offline: boolean;
  store: Pick<ConversationStore, "saveChat" | "removeChat"> | undefined;
  signal: AbortSignal;
};

/**
 * Checks an account: credentials, user, models, quota and one short chat. The requests refresh its tokens if that is due.
 * If a new login is required, that is the only finding.
 */
export async function checkAccount(
  upstream: Upstream,
  { offline, store, signal }: AccountOptions,
): Promise<Finding[]> {
  const what = `account ${upstream.name}`;
  if (offline) return [checkCredentials(what, upstream.status())];
  const checks = await Promise.all([
    runCheck(`${what}, user`, signal, (checkSignal) => checkUser(`${what}, user`, upstream, checkSignal)),
    runCheck(`${what}, models`, signal, (checkSignal) =>
      checkModels(`${what}, models`, upstream, checkSignal),
    ),
    runCheck(`${what}, quota`, signal, (checkSignal) => checkQuota(`${what}, quota`, upstream, checkSignal)),
    runCheck(`${what}, chat`, signal, async (checkSignal) => [
      await runShortChat(`${what}, chat`, upstream, store, checkSignal),
    ]),
  ]);
  if (signal.aborted) return [];
  const status = upstream.status();
  const login = checkCredentials(what, status);
  return status.state === "login required" ? [login] : [login, ...checks.flat(), ...memoryFinding(upstream)];
}

/** Kimi's memory belongs to the account; whether it is on cannot be asked (kimi-web.md §6 #17). */
function memoryFinding({ name, kind, simulated }: Upstream): Finding[] {
  if (simulated || !kind.startsWith("kimi-")) return [];
  return [
    {
      what: `account ${name}, memory`,
      state: "ok",
      detail: "if Kimi's memory is on, words of one chat can come up in another one",
      remedy: "To keep chats apart, switch it off in the settings of Kimi's site.",
    },
  ];
}

/** The state of the finding: `fail` if the account cannot answer, `warn` if it soon cannot or cannot for a moment. */
const findingStates: Record<AccountStatus["state"], Finding["state"]> = {
  ok: "ok",
  busy: "ok",
  expiring: "warn",
  limited: "warn",
  quota: "fail",
  "login required": "fail",
  unavailable: "fail",
};

function checkCredentials(what: string, status: AccountStatus): Finding {
  const detail = `${status.state}: ${status.detail}${describeExpiry(status)}`;
  const finding: Finding = { what, state: findingStates[status.state], detail };
  return status.state === "expiring"
    ? { ...finding, remedy: "Log in again before it does: “moonbridge login”." }
    : finding;
}

/** A sentence with the time at which the state ends, for `detail`; empty if unknown. */
function describeExpiry(status: AccountStatus): string {
  const now = Date.now();
  switch (status.state) {
    case "ok":
      return status.expiresAt
        ? ` If nobody renewed it, it would end ${formatTimeWithDistance(status.expiresAt, now)}.`
        : "";
    case "expiring":
      return status.expiresAt ? ` It ends ${formatTimeWithDistance(status.expiresAt, now)}.` : "";
    case "limited":
    case "quota":
    case "unavailable":
      return status.until ? ` This ends ${formatTimeWithDistance(status.until, now)}.` : "";
    case "busy":
    case "login required":
      return "";
  }
}

async function checkUser(what: string, upstream: Upstream, signal: AbortSignal): Promise<Finding[]> {
  if (!upstream.currentUser) return [];
  const id = await upstream.currentUser(signal);
  return [{ what, state: "ok", detail: `Kimi knows this login: user ${shortenId(id)}` }];
}

/** The first characters of an id, enough for its owner to recognise it. */
function shortenId(id: string): string {
  return `${id.slice(0, 4).replace(/\W/g, "?")}…`;
}

async function checkModels(what: string, upstream: Upstream, signal: AbortSignal): Promise<Finding[]> {
  const models = await upstream.models(signal);
  const defaultModel = models.find(({ isDefault }) => isDefault);
  const detail = `${models.length}; “kimi” means ${defaultModel?.id ?? "none of them"}`;
  if (!upstream.usesBuiltInModels?.()) return [{ what, state: "ok", detail }];
  return [
    {
      what,
      state: "warn",
      detail: `${detail}. They are built in: Kimi did not list this account's within ${limits.catalogueWait / 1_000} s`,
      remedy: "Chats work with them meanwhile. If this stays, see the other lines about this account.",
    },
  ];
}

async function checkQuota(what: string, upstream: Upstream, signal: AbortSignal): Promise<Finding[]> {
  if (!upstream.quota) return [];
  try {
    const quotas = await upstream.quota(signal);
    const detail = quotas.map(describeQuota).join("; ") || "Kimi names none";
    if (quotas.every(({ used }) => used < 0.9)) return [{ what, state: "ok", detail }];
    return [
      {
        what,
        state: "warn",
        detail,
        remedy: "Wait until it begins anew, or change your plan on Kimi's site.",
      },
    ];
  } catch (error) {
    signal.throwIfAborted();
    return [
      { what, state: "warn", detail: describeFailure(error), remedy: "Chats do not depend on knowing it." },
    ];
  }
}

function describeQuota({ name, used, resetsAt }: Quota): string {
  const resetText = resetsAt === undefined ? "" : `, anew ${formatTimeWithDistance(resetsAt, Date.now())}`;
  return `${name}: ${Math.round(used * 100)} % used${resetText}`;
}
