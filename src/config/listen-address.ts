import { errorCode } from "../lib/error-code.js";
import type { Config } from "./schema.js";
import { ConfigError } from "./validate.js";

/** Why nothing is served beyond this machine without a key. */
export const needsKey =
  "server.host: Moonbridge listens beyond this machine only with an API key of yours. " +
  'Set "token" in the config or MOONBRIDGE_TOKEN to one.';

/** Whether only this machine reaches an address. */
export function isLoopback(host: string): boolean {
  return /^(127(\.\d{1,3}){3}|::1|localhost)$/.test(host);
}

/** The address of a server as this machine reaches it: nobody can connect to a wildcard. */
export function fromHere(url: string): string {
  return url.replace(/\/\/(0\.0\.0\.0|\[::\])(?=:)/, "//127.0.0.1");
}

/** Why the address could not be taken, in words that help; another error stays what it is. */
export function addressError(error: unknown, { host, port }: Config["server"]): unknown {
  switch (errorCode(error)) {
    case "EADDRINUSE":
      return new ConfigError(`Port ${port} is in use. Choose another with --port.`);
    case "EACCES":
      return new ConfigError(`Port ${port} is not allowed here. Choose another with --port.`);
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
      return new ConfigError(`server.host: ${host} is no address of this machine.`);
    default:
      return error;
  }
}
