import { type Simulator, startSimulator } from "../../../simulator/index.js";
import type {
  AccountStatus,
  EventSink,
  Feature,
  FileContent,
  Model,
  Upstream,
  UpstreamRequest,
} from "../../core/types.js";
import type { UpstreamContext } from "../context.js";
import { KimiWeb } from "../kimi-web/upstream.js";
import { createNullCredentialStore } from "../null-credential-store.js";

/** Interval between the simulator's deltas: about Kimi's own speed. */
const deltaMilliseconds = 15;

/** The built-in simulator, used through the real Kimi client. Answers until an account is connected. */
export class SimulatorUpstream implements Upstream {
  readonly kind = "simulator";
  readonly chatStructure = "tree";
  readonly simulated = true;
  readonly features: ReadonlySet<Feature>;
  readonly name: string;
  readonly #simulator: Simulator;
  readonly #kimiWeb: KimiWeb;

  private constructor(name: string, simulator: Simulator, kimiWeb: KimiWeb) {
    this.name = name;
    this.#simulator = simulator;
    this.#kimiWeb = kimiWeb;
    this.features = kimiWeb.features;
  }

  /** Starts a simulator on a free loopback port and uses tokens that it issues. */
  static async open(name: string, context: Omit<UpstreamContext, "store">): Promise<SimulatorUpstream> {
    const simulator = await startSimulator({ deltaMilliseconds });
    const options = { name, baseUrl: simulator.url, authUrl: simulator.url, tokens: simulator.issue() };
    return new SimulatorUpstream(
      name,
      simulator,
      await KimiWeb.open(options, { ...context, store: createNullCredentialStore() }),
    );
  }

  models(): Promise<Model[]> {
    return this.#kimiWeb.models();
  }

  chat(request: UpstreamRequest, sink: EventSink, signal: AbortSignal): Promise<void> {
    return this.#kimiWeb.chat(request, sink, signal);
  }

  accountId(): string {
    return this.#kimiWeb.accountId();
  }

  upload(file: FileContent, signal: AbortSignal): Promise<string> {
    return this.#kimiWeb.upload(file, signal);
  }

  deleteChat(chat: string, signal: AbortSignal): Promise<void> {
    return this.#kimiWeb.deleteChat(chat, signal);
  }

  status(): AccountStatus {
    return { state: "ok", detail: "The simulator answers; no Kimi account is connected." };
  }

  async close(): Promise<void> {
    await this.#kimiWeb.close();
    await this.#simulator.close();
  }
}
