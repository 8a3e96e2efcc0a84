import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join, resolve } from "node:path";
import { Child } from "../child.js";
import { untilReady } from "../ready.js";
import { type Candidate, Skipped, upstreamTarget } from "./candidate.js";

/** nginx as a plain proxy that holds nothing back. */
export const nginx: Candidate = {
  name: "nginx proxy_pass",
  start: async (stage) => {
    const program = findProgram();
    const folder = stage.room("nginx");
    const port = await freePort();
    writeFileSync(join(folder, "nginx.conf"), configuration(port, stage.fakePort));
    const child = Child.program(program, ["-p", folder, "-c", "nginx.conf"], { log: join(folder, "log") });
    await untilReady(child, `http://127.0.0.1:${port}/v1/models`);
    return { child, watched: false, streams: upstreamTarget(port), whole: undefined };
  },
};

function configuration(port: number, upstreamPort: number): string {
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

/** The nginx of this machine, else Debian's, unpacked into a folder of ours: nothing is installed or started. */
function findProgram(): string {
  const unpacked = resolve("bench/results/nginx");
  const places = [
    "/usr/sbin/nginx",
    "/usr/local/sbin/nginx",
    "/usr/bin/nginx",
    join(unpacked, "usr/sbin/nginx"),
  ];
  const found = places.find((place) => existsSync(place));
  if (found) return found;
  try {
    mkdirSync(unpacked, { recursive: true });
    const quiet = { cwd: unpacked, stdio: "ignore", timeout: 120_000 } as const;
    execFileSync("apt-get", ["download", "nginx"], quiet);
    execFileSync("sh", ["-c", "dpkg-deb -x nginx_*.deb ."], quiet);
    const program = join(unpacked, "usr/sbin/nginx");
    execFileSync(program, ["-v"], quiet);
    return program;
  } catch {
    throw new Skipped("there is no nginx here and none can be had from Debian");
  }
}

/** nginx cannot say which port it was given, so it is given one that is free now. */
function freePort(): Promise<number> {
  return new Promise((found, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => found(port));
    });
  });
}
