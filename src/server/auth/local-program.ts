import type { FastifyRequest } from "fastify";
import { isLocalOrigin } from "../../core/local-origin.js";

const loopbackAddress = /^(::1|(::ffff:)?127\.[\d.]+)$/;
const loopbackHost = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/i;

/**
 * True for a request of a program on this machine: it came over loopback without a proxy, and not from a web page,
 * neither cross-origin nor by DNS rebinding. Browsers send no `origin` with pictures and links, but `sec-fetch-site`.
 */
export function isLocalProgram({ socket, headers }: Pick<FastifyRequest, "socket" | "headers">): boolean {
  const forwarded = ["forwarded", "x-forwarded-for", "x-real-ip", "via"].some((name) => name in headers);
  const { origin, host = "", "sec-fetch-site": site } = headers;
  return (
    loopbackAddress.test(socket.remoteAddress ?? "") &&
    !forwarded &&
    loopbackHost.test(host) &&
    (origin === undefined
      ? site === undefined || site === "none" || site === "same-origin"
      : isLocalOrigin(origin))
  );
}
