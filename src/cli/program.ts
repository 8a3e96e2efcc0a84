import { Command, InvalidArgumentError, Option } from "commander";
import { ConfigError } from "../config/validate.js";
import { chatModes, citationModes } from "../core/types.js";
import { nearestName } from "../lib/nearest-name.js";
import { version } from "../lib/version.js";
import { StoreError } from "../store/errors.js";
import { ignoreClosedOutput, printError } from "./print.js";

ignoreClosedOutput();

// Each command is loaded when it runs: a list of keys needs no web server.

const configFile = new Option(
  "--config <file>",
  "configuration file (default: config.json in this folder, else in the user's config folder)",
);

const program = new Command("moonbridge")
  .description("Your own Kimi account as an OpenAI-compatible API. For research and personal use.")
  .version(version);

program
  .command("serve", { isDefault: true })
  .description("serve the API (the default command)")
  .addOption(configFile)
  .option("--host <address>", "address to listen on (default: 127.0.0.1)")
  .option("--port <number>", "port to listen on (default: 6867)", parsePort)
  .option("--record <folder>", "write down what Kimi is told and answers, redacted, for simulate --replay")
  .option("--record-texts", "keep prompts and answers in the recording")
  // A misspelt command after options is an argument of the default command.
  .allowExcessArguments()
  .action(async (options, { args: [unknown] }: Command) =>
    unknown === undefined ? (await import("./serve.js")).serve(options) : failForUnknownCommand(unknown),
  );

program
  .command("login")
  .description("connect a Kimi account: paste tokens, cookies, Local storage, “copy as cURL” or a HAR file")
  .option("--name <account>", "the upstream it is for (default: the only one of the config, or kimi)")
  .option("--file <file>", "read it from a file; - is standard input")
  .addOption(configFile)
  .option("--offline", "store it without asking Kimi")
  .option("--base-url <address>", "another address of Kimi's site")
  .option("--auth-url <address>", "another address of Kimi's account gateway")
  .action(async (options) => (await import("./login.js")).login(options));

program
  .command("doctor")
  .description(
    "check everything from the config to one short chat, and say what to do; exits with 1 if something fails",
  )
  .addOption(configFile)
  .option("--offline", "ask nothing of any network")
  .option("--json", "print the findings as JSON")
  .action(async (options) => (await import("./doctor.js")).doctor(options));

const keys = program
  .command("keys")
  .description("add, list and revoke API keys; a running server sees it at once");

keys
  .command("add <name>")
  .description("make a key and print it, this once")
  .option("--scopes <list>", "chat, admin or both: chat,admin (default: chat)", parseList)
  .option("--models <list>", "models it may use, each with any suffixes (default: all)", parseList)
  .option("--upstreams <list>", "upstreams that may answer it (default: all)", parseList)
  .option("--requests-per-minute <number>", "chat requests a minute (default: any number)", Number)
  .option("--requests-per-day <number>", "chat requests a day (default: any number)", Number)
  .option("--tokens-per-day <number>", "tokens of prompts and answers a day (default: any number)", Number)
  .option(
    "--concurrency <number>",
    "chat requests at a time; further ones wait (default: any number)",
    Number,
  )
  .option("--expires <when>", "30d, 12h, or a date: 2026-12-31, to its end in UTC (default: never)")
  .addOption(new Option("--citations <mode>", "how it is shown sources").choices(citationModes))
  .addOption(new Option("--chats <mode>", "what becomes of its chats").choices(chatModes))
  .option("--visible-errors", "write the failure of a stream as text, too, for UIs that ignore errors")
  .addOption(configFile)
  .action(async (name, options) => (await import("./keys.js")).addKey(name, options));

keys
  .command("list")
  .description("show what each key may do; nothing of the keys themselves")
  .addOption(configFile)
  .action(async (options) => (await import("./keys.js")).listKeys(options));

keys
  .command("revoke <name>")
  .description("a key, and the tokens issued for it, open nothing any more")
  .addOption(configFile)
  .action(async (name, options) => (await import("./keys.js")).revokeKey(name, options));

program
  .command("backup <folder>")
  .description("copy the database and the uploaded files into a new folder; a server may go on running")
  .addOption(configFile)
  .action(async (folder, options) => (await import("./backup.js")).backup(folder, options));

program
  .command("health")
  .description("say whether the server of this configuration answers; exits with 1 if it does not")
  .option("--port <number>", "the port it listens on (default: that of the configuration)", parsePort)
  .option("--wait <seconds>", "how long to wait until it does (default: 0)", parseSeconds)
  .addOption(configFile)
  .action(async (options) => (await import("./health.js")).health(options));

const chats = program.command("chats").description("the chats that Moonbridge has made at Kimi");

chats
  .command("purge")
  .description("delete them all, and only them, after a question")
  .option("--yes", "do not ask")
  .addOption(configFile)
  .action(async (options) => (await import("./chats.js")).purge(options));

program
  .command("mcp")
  .description("serve Kimi as MCP tools over standard input and output, for agents that start it themselves")
  .addOption(configFile)
  .option("--folder <folder...>", "folders whose files kimi_read may read (default: none)")
  .action(async (options) => (await import("./mcp.js")).mcp(options));

program
  .command("simulate")
  .description("run the fake Kimi alone, for development")
  .option("--port <number>", "port to listen on (default: any free one)", parsePort)
  .option("--pace <milliseconds>", "time between deltas (default: 25)", parseMilliseconds)
  .option("--strictness <names>", "request forms to refuse, separated by commas", parseList)
  .option("--replay <folder>", "answer what serve --record has written there")
  .action(async (options) => (await import("./simulate.js")).simulate(options));

try {
  const [first] = process.argv.slice(2);
  // Otherwise the options of the command that was meant would be unknown ones of the default command.
  if (first !== undefined && !first.startsWith("-") && !commandNames().includes(first))
    failForUnknownCommand(first);
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof ConfigError) && !(error instanceof StoreError)) throw error;
  printError(error.message);
  process.exitCode = 1;
}

function commandNames(): string[] {
  return [...program.commands.map((command) => command.name()), "help"];
}

function failForUnknownCommand(name: string): never {
  const nearest = nearestName(name, commandNames());
  const advice =
    nearest === undefined ? "“moonbridge help” lists the commands." : `Did you mean “${nearest}”?`;
  throw new ConfigError(`There is no command “${name.slice(0, 80)}”. ${advice}`);
}

function parsePort(value: string): number {
  const number = Number(value);
  if (!/^\d{1,5}$/.test(value) || number > 65_535)
    throw new InvalidArgumentError("expected a port from 0 to 65535.");
  return number;
}

function parseList(value: string): string[] {
  return value.split(",").map((item) => item.trim());
}

function parseSeconds(value: string): number {
  if (!/^\d{1,4}$/.test(value)) throw new InvalidArgumentError("expected a number of seconds.");
  return Number(value);
}

function parseMilliseconds(value: string): number {
  if (!/^\d{1,5}$/.test(value)) throw new InvalidArgumentError("expected a number of milliseconds.");
  return Number(value);
}
