import { limits } from "../../core/limits.js";

const continueHead = Buffer.from("HTTP/1.1 100");
/** The minor version, which may be any digit. */
const minorVersionAt = 7;
const headEnd = Buffer.from("\r\n\r\n");

/**
 * Removes `100 Continue` from the start of a response. No request asks for it (`Expect`), but some proxies send it all
 * the same, as RFC 9110 §15.2 allows, and undici takes it for an error.
 */
export class ContinueFilter {
  #pending: Buffer | undefined;
  #removed = 0;

  /** Returns the bytes from another head on, after which nothing is to be filtered; undefined before. Keeps no view. */
  push(bytes: Buffer): Buffer | undefined {
    let rest = this.#pending ? Buffer.concat([this.#pending, bytes]) : bytes;
    while (isContinueStart(rest) && this.#removed < limits.continueResponses) {
      const end = rest.indexOf(headEnd);
      if (end === -1) {
        if (rest.length > limits.continueHead) return rest;
        this.#pending = Buffer.from(rest);
        return undefined;
      }
      this.#removed++;
      rest = rest.subarray(end + headEnd.length);
    }
    return rest;
  }
}

/** Whether the bytes are the start of a `100 Continue`, as far as they go. */
function isContinueStart(bytes: Buffer): boolean {
  const length = Math.min(bytes.length, continueHead.length);
  for (let at = 0; at < length; at++) {
    if (bytes[at] !== continueHead[at] && at !== minorVersionAt) return false;
  }
  return true;
}
