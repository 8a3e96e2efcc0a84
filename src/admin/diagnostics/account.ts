import { limits } from "../../core/limits.js";
import type { ThreadStore } from "../../core/store.js";
import type { AccountStatus, Quota, Upstream } from "../../core/types.js";
import { formatTimeWithDistance } from "../../lib/relative-time.js";
import { isBuiltIn } from "../../upstreams/kimi-web/catalogue.js";
import { type Finding, look, sentence } from "./finding.js";
import { shortChat } from "./short-chat.js";

export type AccountOptions = {
  /** Nothing is asked; what is known is told. */
  offline: boolean;
  store: Pick<ThreadStore, "saveChat" | "removeChat"> | undefined;
  signal: AbortSignal;
};

/**
 * An account: its login, whose it is, its models, its allowances and one short chat. Asking renews the login if that
 * is due; where only the person can help, that is all there is to say.
 */
export async function checkAccount(
  upstream: Upstream,
  { offline, store, signal }: AccountOptions,
): Promise<Finding[]> {
  const what = `account ${upstream.name}`;
  if (offline) return [checkLogin(what, upstream.status())];
  const others = await Promise.all([
    look(`${what}, user`, signal, (stop) => checkUser(`${what}, user`, upstream, stop)),
    look(`${what}, models`, signal, (stop) => checkModels(`${what}, models`, upstream, stop)),
    look(`${what}, quota`, signal, (stop) => checkQuota(`${what}, quota`, upstream, stop)),
    look(`${what}, chat`, signal, async (stop) => [await shortChat(`${what}, chat`, upstream, store, stop)]),
  ]);
  if (signal.aborted) return [];
  const status = upstream.status();
  const login = checkLogin(what, status);
  return status.state === "login required" ? [login] : [login, ...others.flat()];
}

/** What does not answer now and here fails; what only may soon not, or not for a while, is a warning. */
const severity: Record<AccountStatus["state"], Finding["state"]> = {
  ok: "ok",
  busy: "ok",
  expiring: "warn",
  limited: "warn",
  quota: "fail",
  "login required": "fail",
  unavailable: "fail",
};

function checkLogin(what: string, status: AccountStatus): Finding {
  const detail = `${status.state}: ${status.detail}${timeOf(status)}`;
  const finding: Finding = { what, state: severity[status.state], detail };
  return status.state === "expiring"
    ? { ...finding, remedy: "Log in again before it does: “moonbridge login”." }
    : finding;
}

function timeOf(status: AccountStatus): string {
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
  return [{ what, state: "ok", detail: `Kimi knows this login: user ${shortened(id)}` }];
}

/** As much of an id as its owner recognises. */
function shortened(id: string): string {
  return `${id.slice(0, 4).replace(/\W/g, "?")}…`;
}

async function checkModels(what: string, upstream: Upstream, signal: AbortSignal): Promise<Finding[]> {
  const models = await upstream.models(signal);
  const preferred = models.find(({ isDefault }) => isDefault);
  const detail = `${models.length}; “kimi” means ${preferred?.id ?? "none of them"}`;
  if (upstream.kind !== "kimi-web" || !isBuiltIn(models)) return [{ what, state: "ok", detail }];
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
    const detail = quotas.map(share).join("; ") || "Kimi names none";
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
    return [{ what, state: "warn", detail: sentence(error), remedy: "Chats do not depend on knowing it." }];
  }
}

function share({ name, used, resetsAt }: Quota): string {
  const anew = resetsAt === undefined ? "" : `, anew ${formatTimeWithDistance(resetsAt, Date.now())}`;
  return `${name}: ${Math.round(used * 100)} % used${anew}`;
}
