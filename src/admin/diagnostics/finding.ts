import { ConfigError } from "../../config/validate.js";
import { Deadline } from "../../core/deadline.js";
import { describeError } from "../../core/error-text.js";
import { GatewayError } from "../../core/errors.js";
import { limits } from "../../core/limits.js";
import { doctorMessages } from "../../i18n/doctor-messages.js";
import { type LocalizedText, localize, type Message } from "../../i18n/text.js";
import { StoreError } from "../../store/errors.js";

/**
 * The result of a check, for display: `what` was checked, its state in words (`detail`) and what the user can do
 * (`remedy`). `detail` and `remedy` never contain a token, a key or a person's name.
 */
export type Finding = { what: Message; state: "ok" | "warn" | "fail"; detail: Message; remedy?: Message };

/** A finding for programs: the same whatever the language. */
export type EnglishFinding = Omit<Finding, "what" | "detail" | "remedy"> & {
  what: string;
  detail: string;
  remedy?: string;
};

export function toEnglish({ what, state, detail, remedy }: Finding): EnglishFinding {
  const english = { what: localize(what).en, state, detail: localize(detail).en };
  return remedy === undefined ? english : { ...english, remedy: localize(remedy).en };
}

/** A check. After an abort it cleans up, for instance deletes its chat, and then rejects. */
type Check = (signal: AbortSignal) => Promise<Finding[]>;

/** Runs a check within `limits.doctorCheck`. A failure or timeout becomes a finding. Never rejects; no findings after an abort. */
export async function runCheck(what: Message, signal: AbortSignal, check: Check): Promise<Finding[]> {
  const deadline = new Deadline(signal, limits.doctorCheck, checkTimeout);
  try {
    deadline.signal.throwIfAborted();
    const findings = await Promise.race([check(deadline.signal), rejectAfterCleanup(deadline.signal)]);
    return signal.aborted ? [] : findings;
  } catch (error) {
    return signal.aborted ? [] : [{ what, state: "fail", detail: describeFailure(error) }];
  } finally {
    deadline.clear();
  }
}

/** The message of Moonbridge's own errors; others may quote secrets and are reduced to name and code. */
export function describeFailure(error: unknown): LocalizedText {
  if (error instanceof GatewayError) return describeError(error);
  if (error instanceof ConfigError || error instanceof StoreError) return error.text;
  const name = error instanceof Error ? error.name : typeof error;
  const code = error instanceof Error && "code" in error ? ` ${String(error.code)}` : "";
  return doctorMessages.notChecked(`${name}${code}`);
}

/** Rejects when the clean-up time after an abort is over. */
function rejectAfterCleanup(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const startTimer = () => setTimeout(() => reject(signal.reason), limits.doctorCleanup);
    signal.addEventListener("abort", startTimer, { once: true });
  });
}

function checkTimeout(): GatewayError {
  return new GatewayError("timeout", `This took more than ${limits.doctorCheck / 1_000} s and was given up.`);
}
