import { configMessages } from "../i18n/config-messages.js";
import { errorCode } from "../lib/error-code.js";
import type { Config } from "./schema.js";
import { ConfigError } from "./validate.js";

/** Whether a host is reachable from this machine only. */
export function isLoopback(host: string): boolean {
  return /^(127(\.\d{1,3}){3}|::1|localhost)$/.test(host);
}

/** The URL of a server at this host and port; `tls`: what it has for TLS, if it speaks that. */
export function serverUrl({ host, port, tls }: { host: string; port: number; tls?: unknown }): string {
  return `${tls ? "https" : "http"}://${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/** The URL with a wildcard host replaced by 127.0.0.1, to which clients can connect. */
export function toLocalUrl(url: string): string {
  return url.replace(/\/\/(0\.0\.0\.0|\[::\])(?=:)/, "//127.0.0.1");
}

/** A ConfigError with a remedy for errors of `listen`; other errors are returned unchanged. */
export function toListenError(
  error: unknown,
  { host, port }: Pick<Config["server"], "host" | "port">,
): unknown {
  const failedPort = error instanceof Error && "port" in error ? Number(error.port) : port;
  const remedy = failedPort === port ? configMessages.choosePort : configMessages.removePort;
  switch (errorCode(error)) {
    case "EADDRINUSE":
      return new ConfigError(configMessages.portInUse(failedPort, remedy));
    case "EACCES":
      return new ConfigError(configMessages.portNotAllowed(failedPort, remedy));
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
      return new ConfigError(configMessages.foreignHost(host));
    default:
      return error;
  }
}
