import type { ConfigFileLocation } from "../config/file-locations.js";
import { toLocalUrl } from "../config/listen-address.js";
import type { Config } from "../config/schema.js";
import { describeStore } from "../config/store-location.js";
import { commandMessages as messages } from "../i18n/command-messages.js";
import type { LocalizedText } from "../i18n/text.js";
import { text } from "../i18n/text.js";
import { version } from "../lib/version.js";
import type { RunningServer } from "../server/server.js";
import { exampleRequests } from "./example-request.js";
import { columnsOf, padColumns, printLine, type Span, span, translate } from "./print.js";

export type Greeting = {
  server: Pick<RunningServer, "url" | "furtherUrls">;
  config: Pick<Config, "configFile" | "store" | "files" | "keys" | "oauth">;
  /** The upstreams that answer; empty if it is the built-in simulator alone. */
  upstreams: readonly string[];
  /** The key that this start has made, the only time that it is shown. */
  newKey: string | undefined;
  /** Opens the console once. */
  loginCode: string | undefined;
};

/** The address of the console, which logs its visitor in if it has a code. */
export function consoleAddress({ url }: Pick<RunningServer, "url">, loginCode: string | undefined): string {
  const address = `${toLocalUrl(url)}/`;
  return loginCode === undefined ? address : `${address}#code=${loginCode}`;
}

/** Prints who answers, where, with which key and files, and a first request. Its last line is `listening on URL`. */
export function printGreeting(greeting: Greeting): void {
  const { server, config, newKey } = greeting;
  printLine(span("title", `Moonbridge ${version}`));
  printRows([
    [messages.answers, [describeUpstreams(greeting.upstreams)]],
    [messages.address, describeAddress(server)],
    [messages.console, describeConsole(greeting)],
    [messages.apiKey, describeKey(greeting)],
    [messages.config, [describeConfigFile(config.configFile)]],
    [messages.database, [describeStore(config.store)]],
    [messages.files, [config.files.folder]],
  ]);
  printLine(span("title", newKey === undefined ? messages.tryItWithVariable : messages.tryIt));
  for (const { shell, lines } of exampleRequests(process.platform, toLocalUrl(server.url), newKey)) {
    if (shell !== undefined) printLine(`  ${shell}:`);
    for (const line of lines) printLine(`  ${line}`);
  }
  printLine(span("good", messages.listening(server.url)));
}

type Value = readonly (string | LocalizedText | Span)[];

function printRows(rows: readonly (readonly [label: LocalizedText, value: Value])[]): void {
  const width = Math.max(...rows.map(([label]) => columnsOf(translate(label))));
  for (const [label, value] of rows) {
    printLine("  ", span("label", padColumns(translate(label), width + 2)), ...value);
  }
}

function describeUpstreams(names: readonly string[]): LocalizedText | Span {
  if (names.length > 0) return span("value", names.join(", "));
  return span("attention", messages.simulatorAnswers(loginCommand()));
}

/** The command as it can be typed where this process was started: npm sets the variable for its scripts. */
function loginCommand(): string {
  return process.env.npm_lifecycle_event === "start" ? "npm start -- login" : "moonbridge login";
}

function describeAddress({ url, furtherUrls }: Greeting["server"]): Value {
  const address = span("value", toLocalUrl(url));
  if (furtherUrls.length === 0) return [address];
  const separator = text(", ", "，");
  return [address, separator, messages.alsoAt(furtherUrls.join(", "))];
}

function describeConsole({ server, loginCode }: Greeting): Value {
  const address = span("value", consoleAddress(server, loginCode));
  return loginCode === undefined ? [address] : [address, " ", span("label", messages.codeOpensOnce)];
}

function describeKey({ config, newKey }: Greeting): Value {
  if (newKey !== undefined) return [span("value", newKey), " ", span("label", messages.keyShownOnce)];
  if (config.keys.length > 0) return [messages.keyOfConfig];
  return [config.oauth ? messages.keyOfIssuer(config.oauth.issuer) : messages.keyOfFirstStart];
}

function describeConfigFile(configFile: ConfigFileLocation): string | LocalizedText {
  if (configFile.kind !== "none") return configFile.path;
  return messages.noConfigFile(configFile.searched.at(-1) ?? "config.json");
}
