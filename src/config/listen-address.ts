import { errorCode } from "../lib/error-code.js";
import type { Config } from "./schema.js";
import { ConfigError } from "./validate.js";

/** The error for listening beyond loopback without an API key. */
export const keyRequiredMessage =
  "server.host: Moonbridge listens beyond this machine only with an API key of yours. " +
  'Set "token" in the config or MOONBRIDGE_TOKEN to one.';

/** What `server.keylessLoopback` does, for the start and for `moonbridge doctor`. */
export const keylessLoopbackNotice =
  "every program on this machine can chat without an API key, as server.keylessLoopback says";

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
export function toListenError(error: unknown, { host, port }: Config["server"]): unknown {
  const failedPort = error instanceof Error && "port" in error ? Number(error.port) : port;
  const remedy = failedPort === port ? "Choose another with --port" : "Take it out of server.alsoListen";
  const ollama = failedPort === 11_434 ? ", perhaps by Ollama itself" : "";
  switch (errorCode(error)) {
    case "EADDRINUSE":
      return new ConfigError(`Port ${failedPort} is in use${ollama}. ${remedy}.`);
    case "EACCES":
      return new ConfigError(`Port ${failedPort} is not allowed here. ${remedy}.`);
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
      return new ConfigError(`server.host: ${host} is no address of this machine.`);
    default:
      return error;
  }
}
