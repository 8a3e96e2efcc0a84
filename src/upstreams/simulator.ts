import { type Simulator, startSimulator } from "../../simulator/index.js";
import type {
  AccountStatus,
  EventSink,
  Feature,
  FileContent,
  Model,
  Upstream,
  UpstreamRequest,
} from "../core/types.js";
import type { UpstreamSurroundings } from "./context.js";
import { KimiWeb } from "./kimi-web/upstream.js";

/** Milliseconds between the simulator's deltas: about as fast as people see Kimi write. */
const pace = 15;

/** The built-in fake Kimi, spoken to exactly like the real one; answers until an account is connected. */
export class SimulatorUpstream implements Upstream {
  readonly kind = "simulator";
  readonly chatStructure = "tree";
  readonly simulated = true;
  readonly features: ReadonlySet<Feature>;
  readonly name: string;
  readonly #simulator: Simulator;
  readonly #kimi: KimiWeb;

  private constructor(name: string, simulator: Simulator, kimi: KimiWeb) {
    this.name = name;
    this.#simulator = simulator;
    this.#kimi = kimi;
    this.features = kimi.features;
  }

  /** Starts a simulator on a free loopback port and logs in to it. */
  static async open(
    name: string,
    surroundings: Omit<UpstreamSurroundings, "store">,
  ): Promise<SimulatorUpstream> {
    const simulator = await startSimulator({ deltaMilliseconds: pace });
    const options = { name, baseUrl: simulator.url, authUrl: simulator.url, tokens: simulator.issue() };
    return new SimulatorUpstream(
      name,
      simulator,
      await KimiWeb.open(options, { ...surroundings, store: forgetful() }),
    );
  }

  models(): Promise<Model[]> {
    return this.#kimi.models();
  }

  chat(request: UpstreamRequest, tell: EventSink, signal: AbortSignal): Promise<void> {
    return this.#kimi.chat(request, tell, signal);
  }

  accountId(): string {
    return this.#kimi.accountId();
  }

  upload(file: FileContent, signal: AbortSignal): Promise<string> {
    return this.#kimi.upload(file, signal);
  }

  deleteChat(chat: string, signal: AbortSignal): Promise<void> {
    return this.#kimi.deleteChat(chat, signal);
  }

  status(): AccountStatus {
    return { state: "ok", detail: "The simulator answers; no Kimi account is connected." };
  }

  async close(): Promise<void> {
    await this.#kimi.close();
    await this.#simulator.close();
  }
}

/** A store for logins that are not to be kept on disk: the simulator's end with it. */
export function forgetful(): UpstreamSurroundings["store"] {
  return {
    credentials: async () => undefined,
    saveCredentials: async () => {},
    lock: async () => true,
    unlock: async () => {},
  };
}
