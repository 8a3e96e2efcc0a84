/** What a paste is by the look of its beginning, and what to do where no token of Kimi's is in it. */
export type Format = { name: string; advice: string };

const beginning = 64 * 1_024;

/** Where today's site keeps the login, as a sentence without its full stop. */
export const localStorage =
  "On Kimi's site press F12, open Application (in Firefox: Storage) → Local storage → https://www.kimi.com (or .ai), " +
  "and copy the values of access_token and refresh_token";

const otherRequest =
  `This request carries no login. Take one whose address has /apiv2/ in it (F12 → Network), or the tokens themselves. ` +
  `${localStorage}.`;

/** The first that fits counts. Every pattern is looked for in the first 64 KB only. */
const formats: readonly (Format & { looks: RegExp })[] = [
  {
    name: "a picture or another binary file",
    looks: /^.{0,1000}?\ufffd|^\s*data:image\//s,
    advice: `Text is needed, a picture of it does not help. ${localStorage}.`,
  },
  {
    name: "a web page",
    looks: /^\s*<(?:!doctype|html|head|body|\?xml)/i,
    advice: `A page's source does not hold the login. ${localStorage}.`,
  },
  {
    name: "a HAR file",
    looks: /^\s*\{\s*"log"\s*:/,
    advice:
      "Browsers leave the login out of a “sanitized” HAR. In Chrome allow “HAR with sensitive data” in the settings of " +
      `the developer tools (Network) and export it again; or take the tokens themselves. ${localStorage}.`,
  },
  { name: "a cURL command", looks: /^\s*curl(?:\.exe)?\s/i, advice: otherRequest },
  { name: "a fetch call", looks: /^\s*(?:await\s+)?fetch\s*\(/, advice: otherRequest },
  {
    name: "a PowerShell command",
    looks: /^\s*(?:\$session\b|Invoke-(?:WebRequest|RestMethod)\b)/i,
    advice: otherRequest,
  },
  {
    name: "a config file",
    looks: /"(?:auth_token|upstreams)"\s*:/,
    advice: `This config holds no token. ${localStorage}.`,
  },
  {
    name: "a copy of Local storage",
    looks: /\b(?:access_token|refresh_token|msh_user_id|volcano-token-info)\b/,
    advice: `It holds no whole token: you may not be logged in there. Log in and try again. ${localStorage}.`,
  },
  {
    name: "the headers of a request",
    looks: /^(?::authority|host|authorization|cookie|user-agent)\s*:\s/im,
    advice: otherRequest,
  },
  {
    name: "cookies",
    looks: /^\s*(?:[\w.-]+=[^;\s]*(?:;|\s*$)|kimi-auth\b)/,
    advice:
      "There is no kimi-auth cookie in it: today's site keeps the login in Local storage, and scripts never see the " +
      `cookie. ${localStorage}.`,
  },
  { name: "JSON", looks: /^\s*[{[]/, advice: `It holds no token of Kimi's. ${localStorage}.` },
];

const plainText: Format = { name: "text", advice: `It holds no token of Kimi's. ${localStorage}.` };

export function formatOf(pasted: string): Format {
  const head = pasted.slice(0, beginning);
  return formats.find(({ looks }) => looks.test(head)) ?? plainText;
}
