import { GatewayError, toGatewayError } from "../core/errors.js";
import { limits } from "../core/limits.js";

/** The models of one account: the live list, cached and refreshed in the background; a built-in list until it loads. */
export class ModelCatalogue<M> {
  readonly #load: (signal: AbortSignal) => Promise<readonly M[]>;
  #models: readonly M[];
  #failure = new GatewayError("timeout", "This upstream has not said yet which models it has. Try again.");
  #refreshAt = 0;
  #loading: Promise<void> | undefined;
  #hasWaited = false;
  #isLive = false;

  constructor(load: (signal: AbortSignal) => Promise<readonly M[]>, builtIn: readonly M[] = []) {
    this.#load = load;
    this.#models = builtIn;
  }

  /** Whether a list of the account's own has been loaded. */
  get isLive(): boolean {
    return this.#isLive;
  }

  /**
   * Only the first call waits, up to `limits.catalogueWait`: a slow or broken model list must not block chats. Throws
   * the GatewayError of the last attempt if no model is known; later calls start a new attempt in the background.
   */
  async models(): Promise<readonly M[]> {
    if (Date.now() >= this.#refreshAt) {
      this.#loading ??= this.#refresh().finally(() => {
        this.#loading = undefined;
      });
    }
    if (!this.#hasWaited && this.#loading) await waitForFirstLoad(this.#loading);
    this.#hasWaited = true;
    if (this.#models.length === 0) throw this.#failure;
    return this.#models;
  }

  async #refresh(): Promise<void> {
    try {
      const live = await this.#load(AbortSignal.timeout(limits.unary));
      if (live.length === 0) throw new GatewayError("upstream_protocol", "This upstream lists no models.");
      this.#models = live;
      this.#isLive = true;
      this.#refreshAt = Date.now() + limits.catalogueTtl;
    } catch (error) {
      this.#failure = toGatewayError(error);
      this.#refreshAt = this.#models.length === 0 ? 0 : Date.now() + limits.catalogueRetry;
    }
  }
}

async function waitForFirstLoad(loading: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, limits.catalogueWait);
  });
  await Promise.race([loading, timeout]);
  clearTimeout(timer);
}
