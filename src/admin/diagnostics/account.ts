import { limits } from "../../core/limits.js";
import type { ConversationStore } from "../../core/store.js";
import type { AccountStatus, Quota, Upstream } from "../../core/types.js";
import { doctorMessages } from "../../i18n/doctor-messages.js";
import { formatTimeWithDistance } from "../../i18n/relative-time.js";
import { type LocalizedText, text } from "../../i18n/text.js";
import { checkCapabilities } from "./capabilities.js";
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
  const what = doctorMessages.account(upstream.name);
  const known = () => checkCapabilities(doctorMessages.capabilitiesOf(what), upstream);
  if (offline) return [checkCredentials(what, upstream.status()), ...known()];
  const user = doctorMessages.userOf(what);
  const models = doctorMessages.modelsOf(what);
  const quota = doctorMessages.quotaOf(what);
  const chat = doctorMessages.chatOf(what);
  const checks = await Promise.all([
    runCheck(user, signal, (checkSignal) => checkUser(user, upstream, checkSignal)),
    runCheck(models, signal, (checkSignal) => checkModels(models, upstream, checkSignal)),
    runCheck(quota, signal, (checkSignal) => checkQuota(quota, upstream, checkSignal)),
    runCheck(chat, signal, async (checkSignal) => [await runShortChat(chat, upstream, store, checkSignal)]),
  ]);
  if (signal.aborted) return [];
  const status = upstream.status();
  const login = checkCredentials(what, status);
  return status.state === "login required"
    ? [login]
    : [login, ...checks.flat(), ...known(), ...memoryFinding(upstream)];
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

function checkCredentials(what: LocalizedText, status: AccountStatus): Finding {
  const detail = doctorMessages.accountState(status.state, status.detail, describeExpiry(status));
  const finding: Finding = { what, state: findingStates[status.state], detail };
  return status.state === "expiring" ? { ...finding, remedy: doctorMessages.logInAgain } : finding;
}

/** A sentence with the time at which the state ends, for `detail`; undefined if unknown. */
function describeExpiry(status: AccountStatus): LocalizedText | undefined {
  const now = Date.now();
  switch (status.state) {
    case "ok":
      return status.expiresAt
        ? doctorMessages.wouldEnd(formatTimeWithDistance(status.expiresAt, now))
        : undefined;
    case "expiring":
      return status.expiresAt
        ? doctorMessages.ends(formatTimeWithDistance(status.expiresAt, now))
        : undefined;
    case "limited":
    case "quota":
    case "unavailable":
      return status.until ? doctorMessages.stateEnds(formatTimeWithDistance(status.until, now)) : undefined;
    case "busy":
    case "login required":
      return undefined;
  }
}

async function checkUser(what: LocalizedText, upstream: Upstream, signal: AbortSignal): Promise<Finding[]> {
  if (!upstream.currentUser) return [];
  const id = await upstream.currentUser(signal);
  return [{ what, state: "ok", detail: doctorMessages.knownUser(shortenId(id)) }];
}

/** The first characters of an id, enough for its owner to recognise it. */
function shortenId(id: string): string {
  return `${id.slice(0, 4).replace(/\W/g, "?")}…`;
}

async function checkModels(what: LocalizedText, upstream: Upstream, signal: AbortSignal): Promise<Finding[]> {
  const models = await upstream.models(signal);
  const defaultModel = models.find(({ isDefault }) => isDefault);
  const detail = doctorMessages.models(models.length, defaultModel?.id);
  if (!upstream.usesBuiltInModels?.()) return [{ what, state: "ok", detail }];
  return [
    {
      what,
      state: "warn",
      detail: doctorMessages.builtInModels(detail, limits.catalogueWait / 1_000),
      remedy: doctorMessages.builtInModelsWork,
    },
  ];
}

async function checkQuota(what: LocalizedText, upstream: Upstream, signal: AbortSignal): Promise<Finding[]> {
  if (!upstream.quota) return [];
  try {
    const quotas = await upstream.quota(signal);
    const detail = describeQuotas(quotas);
    if (quotas.every(({ used }) => used < 0.9)) return [{ what, state: "ok", detail }];
    return [
      {
        what,
        state: "warn",
        detail,
        remedy: doctorMessages.waitForQuota,
      },
    ];
  } catch (error) {
    signal.throwIfAborted();
    return [{ what, state: "warn", detail: describeFailure(error), remedy: doctorMessages.quotaNotNeeded }];
  }
}

function describeQuotas(quotas: readonly Quota[]): LocalizedText {
  if (quotas.length === 0) return doctorMessages.noQuota;
  const each = quotas.map(({ name, used, resetsAt }) => {
    const resets = resetsAt === undefined ? undefined : formatTimeWithDistance(resetsAt, Date.now());
    return doctorMessages.quota(name, Math.round(used * 100), resets);
  });
  return text(each.map(({ en }) => en).join("; "), each.map(({ zh }) => zh).join("；"));
}
