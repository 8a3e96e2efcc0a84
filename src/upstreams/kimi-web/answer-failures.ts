import { type ErrorCode, GatewayError } from "../../core/errors.js";
import type { ChatEvent } from "../../core/types.js";
import type { JsonObject } from "../../lib/json.js";
import type { ProtocolDrift } from "../../observability/protocol-drift.js";
import { knownSeverities } from "./enums.js";
import { failureToError, isKnownReason, type KimiFailure, parseFailure } from "./errors.js";
import type { AnswerText } from "./text-blocks.js";

/** A failure inside an answer. `textLength`: characters of the answer before it, if only its block is to be hidden. */
type Failure = { error: GatewayError; textLength: number | undefined };

/** What Kimi says about the failure of an answer: in exceptions, by its status and in the trailer (kimi-web.md §2.9). */
export class AnswerFailures {
  readonly #drift: ProtocolDrift;
  readonly #text: AnswerText;
  /** The exception that failed the answer by its severity. */
  #failure: Failure | undefined;
  /** The last exception with a reason, whatever its severity: the error if the answer fails. */
  #named: { error: GatewayError; isKnown: boolean } | undefined;
  /** Exceptions of severity INFO, as notices for an answer that does not fail. */
  readonly #notices: ChatEvent[] = [];
  #isRetracted = false;

  constructor(drift: ProtocolDrift, text: AnswerText) {
    this.#drift = drift;
    this.#text = text;
  }

  /** Kimi has withdrawn the answer after it had begun. */
  get isRetracted(): boolean {
    return this.#isRetracted;
  }

  /** The error of the exception that explains best why the answer failed, if there was one. */
  get namedError(): GatewayError | undefined {
    return this.#named?.error;
  }

  /** Applies the exception in the block with this id. */
  addException(blockId: string, error: JsonObject, out: ChatEvent[]): void {
    const failure = parseFailure(error);
    if (!knownSeverities.has(failure.severity)) this.#drift.record("severity", failure.severity);
    const problem = failureToError(failure, this.#drift);
    this.#remember(failure, problem);
    if (failure.severity === "INFO") {
      const message = failure.localizedMessage ?? problem.message;
      this.#notices.push({ type: "notice", code: problem.upstreamCode ?? "info", message });
      return;
    }
    const isRetraction = failure.severity.endsWith("_RETRACT");
    const isFiltered = problem.code === "content_filter";
    if (this.#text.length > 0 && (isFiltered || (isRetraction && problem.upstreamCode === "unknown"))) {
      this.#isRetracted = true;
      out.push({ type: "notice", code: "content_filter", message: problem.message }, { type: "retract" });
      return;
    }
    const hidesBlock = failure.severity === "BLOCK_RETRACT";
    if (hidesBlock) this.#text.withdraw(blockId, out);
    const textLength = hidesBlock ? this.#text.textLength : undefined;
    const isWithdrawn = isRetraction && problem.upstreamCode === "unknown";
    this.#failure ??= { error: isWithdrawn ? withdrawnError(problem.message) : problem, textLength };
  }

  /**
   * Throws if the answer has failed. An exception that hides only its block does not count if Kimi has answered after it
   * and calls the answer complete.
   */
  throwIfFailed(status: string, isDone: boolean): void {
    if (this.#failure && !this.#hasRecovered(this.#failure, status))
      throw this.namedError ?? this.#failure.error;
    const failure = this.#isRetracted ? undefined : statusError(status, isDone);
    if (failure) throw this.namedError ?? failure;
  }

  /** The notices of an answer that has not failed. */
  notices(): ChatEvent[] {
    if (!this.#failure) return this.#notices;
    const { upstreamCode = "info", message } = this.#failure.error;
    return [...this.#notices, { type: "notice", code: upstreamCode, message }];
  }

  /** A trailer may have a mere code for what an exception has named; a refused login has a code of its own. */
  trailerError(trailer: JsonObject): GatewayError {
    const failure = parseFailure(trailer);
    const error = failureToError(failure, this.#drift);
    const isSpecific = failure.reason !== "" || error.code === "account_login_required";
    return isSpecific ? error : (this.namedError ?? error);
  }

  #remember({ reason }: KimiFailure, error: GatewayError): void {
    const isKnown = isKnownReason(reason);
    if (isKnown || (reason !== "" && !this.#named?.isKnown)) this.#named = { error, isKnown };
  }

  #hasRecovered({ textLength }: Failure, status: string): boolean {
    return textLength !== undefined && status === "COMPLETED" && this.#text.textLength > textLength;
  }
}

/** Why the answer failed, as far as its status tells; undefined if it is a good one. */
function statusError(status: string, isDone: boolean): GatewayError | undefined {
  const fail = (code: ErrorCode, message: string) => new GatewayError(code, message);
  if (status === "ERROR")
    return fail("upstream_unavailable", "Kimi failed while it was answering and did not say why.");
  if (status === "CANCELLED")
    return fail("upstream_cut", "This answer was stopped on Kimi's side before it was complete.");
  if (status !== "COMPLETED" && status !== "TRUNCATED" && !isDone)
    return fail("upstream_cut", "Kimi ended the stream without saying that the answer is complete.");
  return undefined;
}

function withdrawnError(message: string): GatewayError {
  return new GatewayError("content_filter", message, { upstreamCode: "CONTENT_FILTER" });
}
