import { spawnSync } from "node:child_process";

/** Installs Debian's Redis where it is missing, which needs root. The tests start it; it is never a service. */
export default function setup(): void {
  if (isInstalled()) return;
  const options = { stdio: "inherit", timeout: 500_000 } as const;
  spawnSync("apt-get", ["update"], options);
  // Debian's package would start it as a service.
  const env = { ...process.env, RUNLEVEL: "1" };
  const { status } = spawnSync("apt-get", ["install", "-y", "redis-server"], { ...options, env });
  if (status !== 0 || !isInstalled())
    throw new Error("There is no redis-server. On Debian: apt-get install redis-server");
}

function isInstalled(): boolean {
  return spawnSync("redis-server", ["--version"]).status === 0;
}
