/** The format of a pasted text, and advice for the user if it contains no token of Kimi. */
export type PasteFormat = { name: string; advice: string };

const inspectedLength = 64 * 1_024;

/** Instructions for the user: where to copy the tokens. */
export const tokenLocationHelp =
  "Log in on Kimi's site, press F12, open Application (in Firefox: Storage) → Local storage → https://www.kimi.com " +
  "(or .ai), and copy the values of access_token and refresh_token.";

const noLoginAdvice =
  "It carries no login. Copy a request whose address has /apiv2/ in it (F12 → Network), or take the tokens themselves.";
const noTokenAdvice = "It holds no token of Kimi's.";

/** In order of precedence: the first match counts. */
const formats: readonly (PasteFormat & { pattern: RegExp })[] = [
  {
    name: "a picture or another binary file",
    pattern: /^.{0,1000}?\ufffd|^\s*data:image\//s,
    advice: "The login is needed as text.",
  },
  {
    name: "a web page",
    pattern: /^\s*<(?:!doctype|html|head|body|\?xml)/i,
    advice: "A page's source does not hold the login.",
  },
  {
    name: "a HAR file",
    pattern: /^\s*\{\s*"log"\s*:/,
    advice:
      "Browsers leave the login out of a “sanitized” HAR. In Chrome allow “HAR with sensitive data” in the settings of " +
      "the developer tools and export it again, or take the tokens themselves.",
  },
  { name: "a cURL command", pattern: /^\s*curl(?:\.exe)?\s/i, advice: noLoginAdvice },
  { name: "a fetch call", pattern: /^\s*(?:await\s+)?fetch\s*\(/, advice: noLoginAdvice },
  {
    name: "a PowerShell command",
    pattern: /^\s*(?:\$session\b|Invoke-(?:WebRequest|RestMethod)\b)/i,
    advice: noLoginAdvice,
  },
  { name: "a config file", pattern: /"(?:auth_token|upstreams)"\s*:/, advice: noTokenAdvice },
  {
    name: "a copy of Local storage",
    pattern: /\b(?:access_token|refresh_token|msh_user_id|volcano-token-info)\b/,
    advice: `${noTokenAdvice} Perhaps nobody is logged in there.`,
  },
  {
    name: "the headers of a request",
    pattern: /^(?::authority|host|authorization|cookie|user-agent)\s*:\s/im,
    advice: noLoginAdvice,
  },
  {
    name: "cookies",
    pattern: /^\s*(?:[\w.-]+=[^;\s]*(?:;|\s*$)|kimi-auth\b)/,
    advice: "There is no kimi-auth among them: today's site keeps the login in Local storage.",
  },
  { name: "JSON", pattern: /^\s*[{[]/, advice: noTokenAdvice },
];

const plainText: PasteFormat = { name: "text", advice: noTokenAdvice };

/** Detects the format from the first 64 KB of the text. */
export function detectPasteFormat(pasted: string): PasteFormat {
  const head = pasted.slice(0, inspectedLength);
  return formats.find(({ pattern }) => pattern.test(head)) ?? plainText;
}
