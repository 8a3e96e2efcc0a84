import type { AccountStatus } from "../chat/types.js";
import { type CommandLine, loadConfig } from "../config/load.js";
import { createLog } from "../observability/log.js";
import { openHouse } from "../server/house.js";

type Finding = { what: string; state: "ok" | "warn" | "fail"; detail: string };

/** `moonbridge doctor`: what is configured and in what state it is, a line each; exits with 1 if something fails. */
export async function doctor(commandLine: CommandLine): Promise<void> {
  const config = await loadConfig(commandLine, process.env);
  const house = await openHouse(config, createLog("silent"));
  const findings: Finding[] = [
    ...config.warnings.map((detail): Finding => ({ what: "config", state: "warn", detail })),
    { what: "store", state: "ok", detail: config.storePath },
    ...house.chat.status().map(({ upstream, status }) => account(upstream, status)),
    dueChats(await house.store.countDueChats(Date.now())),
  ];
  await house.close();
  for (const { what, state, detail } of findings)
    process.stdout.write(`${state.padEnd(5)} ${what}: ${detail}\n`);
  if (findings.some(({ state }) => state === "fail")) process.exitCode = 1;
}

/** What does not answer now and here fails; what only may soon not, or not for a while, is a warning. */
const severity: Record<AccountStatus["state"], Finding["state"]> = {
  ok: "ok",
  busy: "ok",
  expiring: "warn",
  limited: "warn",
  quota: "fail",
  "login required": "fail",
  unavailable: "fail",
};

function account(upstream: string, status: AccountStatus): Finding {
  const until = "until" in status ? ` until ${new Date(status.until).toISOString()}` : "";
  const detail = `${status.state}${until}: ${status.detail}`;
  return { what: `account ${upstream}`, state: severity[status.state], detail };
}

function dueChats(count: number): Finding {
  const detail = count === 0 ? "none is due for deletion" : `${count} are due for deletion on Kimi's side`;
  return { what: "chats", state: count > 100 ? "warn" : "ok", detail };
}
