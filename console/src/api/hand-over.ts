import { useEffect, useRef } from "react";
import { serverUrl } from "./client.js";

/** The origins that may hand over a login: Kimi's two sites, over TLS. */
const kimiOrigin = /^https:\/\/(www\.)?kimi\.(com|ai)$/;

/** What Kimi's page sends when this page says that it is ready. */
type HandOverMessage = { moonbridge: "login"; text: string };

/** Whether this window was opened by another page to be handed a login. */
export function isHandOverWindow(): boolean {
  return location.pathname.endsWith("/connect") && window.opener !== null;
}

type HandOverListeners = { onLogin: (text: string) => void; onRefused: (origin: string) => void };

/**
 * Tells the page that opened this window that it may send the login, and waits for it. A message from another origin
 * than Kimi's is refused and not read.
 */
export function useHandOver(isActive: boolean, listeners: HandOverListeners): void {
  const current = useRef(listeners);
  current.current = listeners;
  useEffect(() => {
    if (!isActive) return;
    const receive = ({ origin, source, data }: MessageEvent<unknown>) => {
      if (source !== window.opener || !isHandOverMessage(data)) return;
      if (kimiOrigin.test(origin)) current.current.onLogin(data.text);
      else current.current.onRefused(origin);
    };
    window.addEventListener("message", receive);
    // Says nothing but that it is here, so that any page may hear it.
    window.opener?.postMessage({ moonbridge: "ready" }, "*");
    return () => window.removeEventListener("message", receive);
  }, [isActive]);
}

function isHandOverMessage(data: unknown): data is HandOverMessage {
  return (
    typeof data === "object" &&
    data !== null &&
    "moonbridge" in data &&
    data.moonbridge === "login" &&
    "text" in data &&
    typeof data.text === "string"
  );
}

/**
 * A line of JavaScript for Kimi's page: opens `/connect` here and, when that is ready, sends the two tokens of the
 * Local storage, to this origin only.
 */
export function handOverScript(): string {
  const origin = JSON.stringify(new URL(serverUrl).origin);
  const page = JSON.stringify(new URL("connect", serverUrl).href);
  return [
    `(()=>{const t=JSON.stringify(Object.fromEntries(["access_token","refresh_token"].map(k=>[k,localStorage.getItem(k)])));`,
    `addEventListener("message",e=>{if(e.origin===${origin}&&e.data.moonbridge==="ready")`,
    `e.source.postMessage({moonbridge:"login",text:t},${origin})});open(${page})})()`,
  ].join("");
}
