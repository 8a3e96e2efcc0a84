import { Type } from "@sinclair/typebox";
import { describe } from "../accounts/import/describe-import.js";
import { type Login, recognise } from "../accounts/import/import-login.js";
import { Name, Url } from "../config/field-schemas.js";
import { loadConfig } from "../config/load.js";
import type { Config } from "../config/schema.js";
import { ConfigError, check } from "../config/validate.js";
import { GatewayError } from "../core/errors.js";
import { kimiSite } from "../core/kimi-site.js";
import { limits } from "../core/limits.js";
import type { Store } from "../core/store.js";
import type { TokenPair } from "../core/token.js";
import { SqliteStore } from "../store/sqlite/store.js";
import { type KimiUser, verifyLogin } from "../upstreams/kimi-web/verify-login.js";
import { readPaste } from "./paste.js";

export type LoginOptions = {
  config?: string;
  name?: string;
  file?: string;
  offline?: boolean;
  baseUrl?: string;
  authUrl?: string;
};

const Addresses = Type.Object({ baseUrl: Type.Optional(Url), authUrl: Type.Optional(Url) });

/** `moonbridge login`: takes whatever is pasted, asks Kimi whose it is and keeps it; exits with 1 if nothing was stored. */
export async function login(options: LoginOptions): Promise<void> {
  const config = await loadConfig({ config: options.config }, process.env);
  const account = accountFor(config, options.name);
  check(options, Addresses);
  const pasted = await readPaste(options.file);
  if (pasted === undefined) return fail("Nothing was stored.");
  const found = recognise(pasted);
  if (found.kind === "nothing") return fail(found.problem);
  for (const line of describe(found)) say(line);

  const store = await SqliteStore.open(config.storePath, config.sealKeys);
  try {
    const isKnown = config.upstreams.length > 0 || (await store.accounts()).includes(account);
    if (!(await keep(found, account, options, config, store))) return;
    say(`Stored as the account “${account}” in ${config.storePath}.`);
    const running = isKnown ? "takes it over at its next renewal" : "has to be started anew";
    say(`Next: start Moonbridge. One that runs already ${running}.`);
  } finally {
    await store.close();
  }
}

/** The upstream that the login is for: the one that is named, the only one, or `kimi`. */
function accountFor({ upstreams }: Config, named: string | undefined): string {
  const names = upstreams.filter(({ kind }) => kind === "kimi-web").map(({ name }) => name);
  const account = check(named ?? (names.length === 1 ? names[0] : "kimi"), Name, "--name");
  if (upstreams.length === 0 || names.includes(account)) return account;
  const choice = names.length === 0 ? 'It needs one of kind "kimi-web".' : `It has: ${names.join(", ")}.`;
  throw new ConfigError(`--name: the configuration has no such account. ${choice}`);
}

/** Stores the login once Kimi has accepted it, or at once where it is not to be asked; false if it was refused. */
async function keep(
  found: Login,
  account: string,
  options: LoginOptions,
  { upstreams }: Config,
  store: Store,
): Promise<boolean> {
  const configured = upstreams.find(({ name }) => name === account);
  const hosts = { ...(configured?.kind === "kimi-web" ? configured : {}), ...options };
  const site = kimiSite(found.site, hosts);
  const save = (current: TokenPair) =>
    store.saveCredentials(account, { current, startedFrom: "login", savedAt: Date.now(), site });
  if (options.offline) {
    await save(found.tokens);
    say("Kimi was not asked whether it accepts this login.");
    return true;
  }
  let renewed = false;
  const saveRenewed = async (pair: TokenPair) => {
    await save(pair);
    renewed = true;
  };
  try {
    const { userAgent } = hosts;
    const client = { ...site, ...(userAgent === undefined ? {} : { userAgent }) };
    const user = await verifyLogin(found.tokens, client, saveRenewed, AbortSignal.timeout(limits.login));
    if (!renewed) await save(found.tokens);
    say(`Kimi accepts this login${renewed ? " and has renewed it" : ""}: ${nameOf(user)}.`);
    return true;
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    // The pasted refresh token may be dead from now on; the new one is stored and good, whatever failed after it.
    if (renewed) complain(error.message);
    else fail(`${error.message} Nothing was stored.${remedyFor(error, found)}`);
    return renewed;
  }
}

function remedyFor({ code, retryable }: GatewayError, { siteAssumed }: Login): string {
  if (retryable) return " --offline stores it without asking Kimi.";
  if (code !== "account_login_required" || !siteAssumed) return "";
  return " If this login is one of kimi.ai, add --base-url https://www.kimi.ai.";
}

/** Kimi's words without the characters that steer a terminal. */
function nameOf({ id, nickname }: KimiUser): string {
  const named = nickname === undefined ? "" : `“${nickname}”, `;
  return `${named}user ${id}`.replace(/\p{C}/gu, "");
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function fail(message: string): void {
  complain(message);
  process.exitCode = 1;
}

function complain(message: string): void {
  process.stderr.write(`moonbridge: ${message}\n`);
}
