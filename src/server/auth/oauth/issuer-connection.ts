import { type Agent, request } from "undici";
import { limits } from "../../../core/limits.js";
import { createProxyAgent } from "../../../proxy/proxy-agent.js";
import type { ChooseProxy } from "../../../proxy/proxy-rules.js";

/** Requests to the issuer, with answers of bounded size that come within `limits.issuerResponse`. */
export class IssuerConnection {
  readonly #agent: Agent;

  constructor(chooseProxy: ChooseProxy) {
    this.#agent = createProxyAgent(chooseProxy, {
      timeout: limits.issuerResponse,
      maxResponseSize: limits.issuerBody,
    });
  }

  /** Throws unless the status is 200. */
  async getText(url: string): Promise<string> {
    const { statusCode, body } = await request(url, {
      dispatcher: this.#agent,
      headers: { accept: "application/json" },
      signal: AbortSignal.timeout(limits.issuerResponse),
    });
    const text = await body.text();
    if (statusCode !== 200) throw new Error("not 200");
    return text;
  }

  async postForm(url: string, form: URLSearchParams): Promise<{ status: number; text: string }> {
    const { statusCode, body } = await request(url, {
      method: "POST",
      dispatcher: this.#agent,
      headers: { accept: "application/json", "content-type": "application/x-www-form-urlencoded" },
      body: form.toString(),
      signal: AbortSignal.timeout(limits.issuerResponse),
    });
    return { status: statusCode, text: await body.text() };
  }

  close(): Promise<void> {
    return this.#agent.destroy();
  }
}
