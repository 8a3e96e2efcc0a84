import { GatewayError, toGatewayError } from "../core/errors.js";
import { limits } from "../core/limits.js";

/** The models of one account: the live list, remembered and renewed behind the scenes, else a built-in one. */
export class Catalogue<M> {
  readonly #load: (signal: AbortSignal) => Promise<readonly M[]>;
  #models: readonly M[];
  #failure = new GatewayError("timeout", "This upstream has not said yet which models it has. Try again.");
  #askAgainAt = 0;
  #loading: Promise<void> | undefined;
  #asked = false;

  constructor(load: (signal: AbortSignal) => Promise<readonly M[]>, builtIn: readonly M[] = []) {
    this.#load = load;
    this.#models = builtIn;
  }

  /**
   * Hardly ever waits: a slow or broken catalogue must not keep anyone from chatting. Throws GatewayError only where no
   * model is known at all: why the last attempt failed, while the next one is on its way.
   */
  async models(): Promise<readonly M[]> {
    if (Date.now() >= this.#askAgainAt) {
      this.#loading ??= this.#refresh().finally(() => {
        this.#loading = undefined;
      });
    }
    if (!this.#asked && this.#loading) await withinWait(this.#loading);
    this.#asked = true;
    if (this.#models.length === 0) throw this.#failure;
    return this.#models;
  }

  async #refresh(): Promise<void> {
    try {
      const live = await this.#load(AbortSignal.timeout(limits.unary));
      if (live.length === 0) throw new GatewayError("upstream_protocol", "This upstream lists no models.");
      this.#models = live;
      this.#askAgainAt = Date.now() + limits.catalogue;
    } catch (error) {
      this.#failure = toGatewayError(error);
      this.#askAgainAt = this.#models.length === 0 ? 0 : Date.now() + limits.catalogueRetry;
    }
  }
}

async function withinWait(loading: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const enough = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, limits.catalogueWait);
  });
  await Promise.race([loading, enough]);
  clearTimeout(timer);
}
