import { describe, expect, test } from "vitest";
import { findPlatformFolders } from "../../src/config/platform-folders.js";

describe("the folders of a user's config and data", () => {
  test.each([
    [
      "Linux: below the home folder",
      { platform: "linux", home: "/home/ada", environment: {} },
      { config: "/home/ada/.config/moonbridge", data: "/home/ada/.local/share/moonbridge" },
    ],
    [
      "Linux: where XDG variables say, which need no home folder",
      { platform: "linux", home: undefined, environment: { XDG_CONFIG_HOME: "/c", XDG_DATA_HOME: "/d" } },
      { config: "/c/moonbridge", data: "/d/moonbridge" },
    ],
    [
      "Linux: relative or empty XDG variables do not count",
      { platform: "linux", home: "/home/ada", environment: { XDG_CONFIG_HOME: "c", XDG_DATA_HOME: "" } },
      { config: "/home/ada/.config/moonbridge", data: "/home/ada/.local/share/moonbridge" },
    ],
    [
      "FreeBSD: as on Linux",
      { platform: "freebsd", home: "/home/ada", environment: {} },
      { config: "/home/ada/.config/moonbridge", data: "/home/ada/.local/share/moonbridge" },
    ],
    [
      "macOS: Application Support",
      { platform: "darwin", home: "/Users/ada", environment: { XDG_DATA_HOME: "/d" } },
      {
        config: "/Users/ada/Library/Application Support/moonbridge",
        data: "/Users/ada/Library/Application Support/moonbridge",
      },
    ],
    [
      "Windows: %APPDATA% and %LOCALAPPDATA%",
      {
        platform: "win32",
        home: undefined,
        environment: { APPDATA: "D:\\我的 数据\\Roaming", LOCALAPPDATA: "D:\\我的 数据\\Local" },
      },
      { config: "D:\\我的 数据\\Roaming\\moonbridge", data: "D:\\我的 数据\\Local\\moonbridge" },
    ],
    [
      "Windows: below the profile where the variables are missing",
      { platform: "win32", home: "C:\\Users\\ada", environment: {} },
      {
        config: "C:\\Users\\ada\\AppData\\Roaming\\moonbridge",
        data: "C:\\Users\\ada\\AppData\\Local\\moonbridge",
      },
    ],
  ] as const)("%s", (_name, machine, folders) => {
    expect(findPlatformFolders(machine)).toEqual(folders);
  });

  test.each(["linux", "darwin", "win32"] as const)("%s: none without a home folder", (platform) => {
    expect(findPlatformFolders({ platform, home: undefined, environment: {} })).toBeUndefined();
  });
});
