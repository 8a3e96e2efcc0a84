import type { SimulatorOptions } from "../../simulator/index.js";
import { capabilityAccount } from "../../src/accounts/account-capabilities.js";
import type { CapabilityName } from "../../src/core/capabilities.js";
import { type Gateway, type GatewayOptions, startGateway } from "../gateway.js";

/** The capabilities of the account that are not as by default, as `GET /v1/accounts` shows them. */
export async function changedCapabilities(gateway: Gateway): Promise<{ name: string; value: unknown }[]> {
  const response = await fetch(`${gateway.url}/v1/accounts`, {
    headers: { authorization: "Bearer sk-CANARY-key" },
  });
  const { data } = JSON.parse(await response.text());
  return data[0].capabilities.filter((each: { source: string | null }) => each.source !== null);
}

/** A gateway whose account was measured before it starts. */
export async function startMeasured(
  values: Partial<Record<CapabilityName, boolean | number>>,
  simulator: SimulatorOptions = {},
  options: GatewayOptions = {},
): Promise<Gateway> {
  const gateway = await startGateway({ ...options, simulator });
  const id = JSON.parse(await currentUser(gateway)).user.id;
  const stored = Object.entries(values).map(([name, value]) => ({
    ...{ account: capabilityAccount(id), name, value, source: "probe" as const, changedAt: Date.now() },
  }));
  await gateway.store.capabilities.saveCapabilities(stored);
  // Opened anew, the upstream reads them.
  await gateway.replaceUpstreams(gateway.config.upstreams.map((each) => ({ ...each, concurrency: 9 })));
  return gateway;
}

/** What the simulator says of the user of the account, as JSON. */
export async function currentUser({ simulator }: Gateway): Promise<string> {
  const { accessToken } = simulator.issue();
  const path = "/apiv2/kimi.gateway.account.v1.UserService/GetCurrentUser";
  const headers = { authorization: `Bearer ${accessToken}`, "content-type": "application/json" };
  return (await fetch(`${simulator.url}${path}`, { method: "POST", headers, body: "{}" })).text();
}
