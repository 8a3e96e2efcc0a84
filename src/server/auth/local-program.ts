import type { FastifyRequest } from "fastify";

const loopbackAddress = /^(::1|(::ffff:)?127\.[\d.]+)$/;
const loopbackHostOrOrigin = /^(https?:\/\/)?(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/i;
/** Origins of desktop apps such as Obsidian; no browser gives one to a page (clients.md §2.8). */
const desktopAppOrigin = /^(app|file|tauri|vscode-file|vscode-webview):\/\//i;

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
    loopbackHostOrOrigin.test(host) &&
    (origin === undefined
      ? site === undefined || site === "none" || site === "same-origin"
      : loopbackHostOrOrigin.test(origin) || desktopAppOrigin.test(origin))
  );
}
