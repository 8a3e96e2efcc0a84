import { spawn } from "node:child_process";

const openers: Partial<Record<NodeJS.Platform, readonly [command: string, ...given: string[]]>> = {
  darwin: ["open"],
  win32: ["rundll32", "url.dll,FileProtocolHandler"],
};

/** Opens the address in the person's browser; nothing happens where there is none. */
export function openBrowser(address: string): void {
  const [command, ...given] = openers[process.platform] ?? ["xdg-open"];
  const child = spawn(command, [...given, address], { stdio: "ignore", detached: true });
  child.on("error", () => {});
  child.unref();
}
