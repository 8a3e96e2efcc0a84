import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { chromiumPath } from "../chromium.js";

/** Installs Debian's Chromium and a Chinese font where they are missing, which needs root. */
export default function setup(): void {
  if (existsSync(chromiumPath)) return;
  const options = { stdio: "inherit", timeout: 500_000 } as const;
  spawnSync("apt-get", ["update"], options);
  const { status } = spawnSync("apt-get", ["install", "-y", "chromium", "fonts-noto-cjk"], options);
  if (status !== 0)
    throw new Error(`There is no ${chromiumPath}. On Debian: apt-get install chromium fonts-noto-cjk`);
}
