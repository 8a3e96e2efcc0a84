import { Command, InvalidArgumentError, Option } from "commander";
import { ConfigError } from "../config/validate.js";
import { usageGroups } from "../core/journal.js";
import { chatModes, citationModes } from "../core/types.js";
import { adminMessages } from "../i18n/admin-messages.js";
import { commandMessages } from "../i18n/command-messages.js";
import { helpMessages } from "../i18n/help-messages.js";
import { probeMessages } from "../i18n/probe-messages.js";
import { nearestName } from "../lib/nearest-name.js";
import { version } from "../lib/version.js";
import { StoreError } from "../store/errors.js";
import { localizeHelp } from "./help.js";
import { ignoreClosedOutput, printError, translate } from "./print.js";

ignoreClosedOutput();

// Each command is loaded when it runs: a list of keys needs no web server.

const { options } = helpMessages;
const say = translate;
const configFile = new Option("--config <file>", say(helpMessages.config));

const program = new Command("moonbridge")
  .description(say(helpMessages.program))
  .version(version, "-V, --version", say(helpMessages.version))
  .addHelpText("after", `\n${say(helpMessages.exitCodes)}`);

program
  .command("serve", { isDefault: true })
  .addOption(configFile)
  .option("--host <address>", say(options.host))
  .option("--port <number>", say(options.port), parsePort)
  .option("--open", say(options.open))
  .option("--record <folder>", say(options.record))
  .option("--record-texts", say(options.recordTexts))
  // A misspelt command after options is an argument of the default command.
  .allowExcessArguments()
  .action(async (settings, { args: [unknown] }: Command) =>
    unknown === undefined ? (await import("./serve.js")).serve(settings) : failForUnknownCommand(unknown),
  );

program
  .command("init")
  .option("--config <file>", say(options.initConfig))
  .action(async (settings) => (await import("./init.js")).init(settings));

program
  .command("login")
  .option("--name <account>", say(options.name))
  .option("--file <file>", say(options.file))
  .addOption(configFile)
  .option("--offline", say(options.offlineLogin))
  .option("--base-url <address>", say(options.baseUrl))
  .option("--auth-url <address>", say(options.authUrl))
  .action(async (settings) => (await import("./login.js")).login(settings));

program
  .command("doctor")
  .addOption(configFile)
  .option("--offline", say(options.offlineDoctor))
  .option("--json", say(options.json))
  .action(async (settings) => (await import("./doctor.js")).doctor(settings));

const keys = program.command("keys");

keys
  .command("add <name>")
  .option("--scopes <list>", say(options.scopes), parseList)
  .option("--models <list>", say(options.models), parseList)
  .option("--upstreams <list>", say(options.upstreams), parseList)
  .option("--requests-per-minute <number>", say(options.requestsPerMinute), Number)
  .option("--requests-per-day <number>", say(options.requestsPerDay), Number)
  .option("--tokens-per-day <number>", say(options.tokensPerDay), Number)
  .option("--concurrency <number>", say(options.concurrency), Number)
  .option("--expires <when>", say(options.expires))
  .addOption(new Option("--citations <mode>", say(options.citations)).choices(citationModes))
  .addOption(new Option("--chats <mode>", say(options.chats)).choices(chatModes))
  .option("--visible-errors", say(options.visibleErrors))
  .addOption(configFile)
  .action(async (name, settings) => (await import("./keys.js")).addKey(name, settings));

keys
  .command("list")
  .addOption(configFile)
  .action(async (settings) => (await import("./keys.js")).listKeys(settings));

keys
  .command("revoke <name>")
  .addOption(configFile)
  .action(async (name, settings) => (await import("./keys.js")).revokeKey(name, settings));

const accounts = program
  .command("accounts")
  .option("--json", say(options.jsonList))
  .addOption(configFile)
  .action(async (settings) => (await import("./accounts.js")).accounts(settings));

accounts
  .command("rename <from> <to>")
  .addOption(configFile)
  .action(async (from, to, _settings, command) =>
    (await import("./accounts.js")).renameAccount({ from, to }, command.optsWithGlobals()),
  );

program
  .command("usage")
  .addOption(new Option("--by <group>", say(options.by)).choices(usageGroups))
  .option("--from <day>", say(options.from), parseDay)
  .option("--to <day>", say(options.to), parseDay)
  .option("--json", say(options.jsonList))
  .addOption(configFile)
  .action(async (settings) => (await import("./usage.js")).usage(settings));

program
  .command("requests")
  .option("--follow", say(options.follow))
  .option("--limit <number>", say(options.limit), parseLimit)
  .option("--key <name>", say(options.ofKey))
  .option("--model <name>", say(options.ofModel))
  .option("--failed", say(options.failed))
  .option("--json", say(options.jsonList))
  .addOption(configFile)
  .action(async (settings) => (await import("./requests.js")).requests(settings));

program
  .command("backup <folder>")
  .addOption(configFile)
  .action(async (folder, settings) => (await import("./backup.js")).backup(folder, settings));

const store = program.command("store");

store
  .command("copy <from> <to>")
  .addOption(configFile)
  .action(async (from, to, settings) => (await import("./store.js")).copy(from, to, settings));

program
  .command("health")
  .option("--port <number>", say(options.healthPort), parsePort)
  .option("--wait <seconds>", say(options.wait), parseSeconds)
  .addOption(configFile)
  .action(async (settings) => (await import("./health.js")).health(settings));

const chats = program.command("chats");

chats
  .command("purge")
  .option("--yes", say(options.yes))
  .addOption(configFile)
  .action(async (settings) => (await import("./chats.js")).purge(settings));

program
  .command("probe")
  .option("--account <name>", say(options.account))
  .option("--pause <seconds>", say(options.pause), parsePause)
  .option("--yes", say(options.yes))
  .option("--json", say(options.jsonResults))
  .addOption(configFile)
  .action(async (settings) => (await import("./probe.js")).probe(settings));

program
  .command("mcp")
  .addOption(configFile)
  .option("--folder <folder...>", say(options.folder))
  .action(async (settings) => (await import("./mcp.js")).mcp(settings));

program
  .command("simulate")
  .option("--port <number>", say(options.simulatorPort), parsePort)
  .option("--pace <milliseconds>", say(options.pace), parseMilliseconds)
  .option("--strictness <names>", say(options.strictness), parseList)
  .option("--without <names>", say(options.without), parseList)
  .option("--replay <folder>", say(options.replay))
  .action(async (settings) => (await import("./simulate.js")).simulate(settings));

localizeHelp(program);

try {
  const [first] = process.argv.slice(2);
  // Otherwise the options of the command that was meant would be unknown ones of the default command.
  if (first !== undefined && !first.startsWith("-") && !commandNames().includes(first))
    failForUnknownCommand(first);
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof ConfigError) && !(error instanceof StoreError)) throw error;
  printError(error.text);
  process.exitCode = 1;
}

function commandNames(): string[] {
  return [...program.commands.map((command) => command.name()), "help"];
}

function failForUnknownCommand(name: string): never {
  const nearest = nearestName(name, commandNames());
  throw new ConfigError(commandMessages.noSuchCommand(name.slice(0, 80), nearest));
}

function parsePort(value: string): number {
  const number = Number(value);
  if (!/^\d{1,5}$/.test(value) || number > 65_535)
    throw new InvalidArgumentError(say(commandMessages.expectedPort));
  return number;
}

function parseList(value: string): string[] {
  return value.split(",").map((item) => item.trim());
}

function parseSeconds(value: string): number {
  if (!/^\d{1,4}$/.test(value)) throw new InvalidArgumentError("expected a number of seconds.");
  return Number(value);
}

function parseDay(value: string): string {
  if (!/^\d{4}-\d\d-\d\d$/.test(value)) throw new InvalidArgumentError(say(adminMessages.expectedDay));
  return value;
}

function parseLimit(value: string): number {
  const number = Number(value);
  if (!/^\d{1,3}$/.test(value) || number < 1 || number > 500)
    throw new InvalidArgumentError(say(adminMessages.expectedLimit));
  return number;
}

function parsePause(value: string): number {
  if (!/^\d{1,2}$/.test(value) || Number(value) > 60)
    throw new InvalidArgumentError(say(probeMessages.expectedSeconds));
  return Number(value);
}

function parseMilliseconds(value: string): number {
  if (!/^\d{1,5}$/.test(value)) throw new InvalidArgumentError(say(commandMessages.expectedMilliseconds));
  return Number(value);
}
