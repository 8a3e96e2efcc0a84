import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join, resolve } from "node:path";
import { Child } from "../child.js";
import { waitUntilReady } from "../ready.js";
import { type Candidate, CandidateUnavailable, upstreamTarget } from "./candidate.js";

/** nginx as a plain proxy with buffering off. */
export const nginx: Candidate = {
  name: "nginx proxy_pass",
  start: async (environment) => {
    const program = findNginx();
    const workDirectory = environment.createWorkDirectory("nginx");
    const port = await freePort();
    writeFileSync(join(workDirectory, "nginx.conf"), nginxConfig(port, environment.fakeUpstreamPort));
    const child = Child.spawn(program, ["-p", workDirectory, "-c", "nginx.conf"], {
      log: join(workDirectory, "log"),
    });
    await waitUntilReady(child, `http://127.0.0.1:${port}/v1/models`);
    return { child, reportsEventLoop: false, streaming: upstreamTarget(port), nonStreaming: undefined };
  },
};

function nginxConfig(port: number, upstreamPort: number): string {
  return `daemon off;
worker_processes 1;
worker_rlimit_nofile 40000;
error_log stderr crit;
pid nginx.pid;
events { worker_connections 20000; }
http {
  access_log off;
  keepalive_timeout 600s;
  keepalive_requests 100000000;
  ${["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((kind) => `${kind}_temp_path ${kind};`).join(" ")}
  upstream fake { server 127.0.0.1:${upstreamPort}; keepalive 1024; keepalive_requests 100000000; }
  server {
    listen 127.0.0.1:${port} backlog=8192;
    location / {
      proxy_pass http://fake;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering off;
      proxy_read_timeout 600s;
    }
  }
}
`;
}

/**
 * The path of the installed nginx, or else of the one in Debian's package, which is downloaded and unpacked into
 * bench/results/nginx. Throws CandidateUnavailable if there is neither.
 */
function findNginx(): string {
  const unpackFolder = resolve("bench/results/nginx");
  const paths = [
    "/usr/sbin/nginx",
    "/usr/local/sbin/nginx",
    "/usr/bin/nginx",
    join(unpackFolder, "usr/sbin/nginx"),
  ];
  const found = paths.find((path) => existsSync(path));
  if (found) return found;
  try {
    mkdirSync(unpackFolder, { recursive: true });
    const options = { cwd: unpackFolder, stdio: "ignore", timeout: 120_000 } as const;
    execFileSync("apt-get", ["download", "nginx"], options);
    execFileSync("sh", ["-c", "dpkg-deb -x nginx_*.deb ."], options);
    const program = join(unpackFolder, "usr/sbin/nginx");
    execFileSync(program, ["-v"], options);
    return program;
  } catch {
    throw new CandidateUnavailable("there is no nginx here and none can be had from Debian");
  }
}

/** A port that is free now: nginx does not report the port that it got for port 0. */
function freePort(): Promise<number> {
  return new Promise((resolvePort, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolvePort(port));
    });
  });
}
