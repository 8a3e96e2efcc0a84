import { homedir } from "node:os";
import { posix, win32 } from "node:path";
import type { Environment } from "../lib/environment-variables.js";

/** What decides where a program of this user keeps its files. `home` is undefined where the user has no home folder. */
export type UserMachine = { platform: NodeJS.Platform; environment: Environment; home: string | undefined };

/** Absolute paths of Moonbridge's own folders, which need not exist. */
export type PlatformFolders = { config: string; data: string };

/** This machine; `environment` is usually `process.env`. */
export function thisMachine(environment: Environment): UserMachine {
  return { platform: process.platform, environment, home: findHome(environment) };
}

/**
 * Where the platform's conventions put the config file and the data of a user: the XDG base directories,
 * ~/Library/Application Support, or %APPDATA% and %LOCALAPPDATA%. Undefined without a home folder and variables that
 * take its place.
 */
export function findPlatformFolders(machine: UserMachine): PlatformFolders | undefined {
  const [config, data] = baseFolders(machine);
  if (config === undefined || data === undefined) return undefined;
  const { join } = machine.platform === "win32" ? win32 : posix;
  return { config: join(config, "moonbridge"), data: join(data, "moonbridge") };
}

function baseFolders({ platform, environment, home }: UserMachine): [string | undefined, string | undefined] {
  if (platform === "win32") {
    const underHome = (name: string) => (home === undefined ? undefined : win32.join(home, "AppData", name));
    return [
      absolute(environment.APPDATA, win32) ?? underHome("Roaming"),
      absolute(environment.LOCALAPPDATA, win32) ?? underHome("Local"),
    ];
  }
  if (platform === "darwin") {
    const folder = home === undefined ? undefined : posix.join(home, "Library", "Application Support");
    return [folder, folder];
  }
  const underHome = (path: string) => (home === undefined ? undefined : posix.join(home, path));
  return [
    absolute(environment.XDG_CONFIG_HOME, posix) ?? underHome(".config"),
    absolute(environment.XDG_DATA_HOME, posix) ?? underHome(".local/share"),
  ];
}

/** The path, if it is absolute: the XDG specification has all others ignored. */
function absolute(path: string | undefined, { isAbsolute }: typeof posix): string | undefined {
  return path !== undefined && isAbsolute(path) ? path : undefined;
}

/** The user's home folder. Undefined for a user id that the system does not know, as in a container, without HOME. */
function findHome({ HOME, USERPROFILE }: Environment): string | undefined {
  const variable = process.platform === "win32" ? USERPROFILE : HOME;
  const path = process.platform === "win32" ? win32 : posix;
  return absolute(variable, path) ?? absolute(systemHome(), path);
}

function systemHome(): string | undefined {
  try {
    return homedir();
  } catch {
    return undefined;
  }
}
