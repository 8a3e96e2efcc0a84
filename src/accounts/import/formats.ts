/** What a paste is by the look of its beginning, and what to know where no token of Kimi's is in it. */
export type Format = { name: string; advice: string };

const beginning = 64 * 1_024;

export const whereTokensAre =
  "Log in on Kimi's site, press F12, open Application (in Firefox: Storage) → Local storage → https://www.kimi.com " +
  "(or .ai), and copy the values of access_token and refresh_token.";

const noLogin =
  "It carries no login. Copy a request whose address has /apiv2/ in it (F12 → Network), or take the tokens themselves.";
const noToken = "It holds no token of Kimi's.";

/** The first that fits counts. */
const formats: readonly (Format & { looks: RegExp })[] = [
  {
    name: "a picture or another binary file",
    looks: /^.{0,1000}?\ufffd|^\s*data:image\//s,
    advice: "The login is needed as text.",
  },
  {
    name: "a web page",
    looks: /^\s*<(?:!doctype|html|head|body|\?xml)/i,
    advice: "A page's source does not hold the login.",
  },
  {
    name: "a HAR file",
    looks: /^\s*\{\s*"log"\s*:/,
    advice:
      "Browsers leave the login out of a “sanitized” HAR. In Chrome allow “HAR with sensitive data” in the settings of " +
      "the developer tools and export it again, or take the tokens themselves.",
  },
  { name: "a cURL command", looks: /^\s*curl(?:\.exe)?\s/i, advice: noLogin },
  { name: "a fetch call", looks: /^\s*(?:await\s+)?fetch\s*\(/, advice: noLogin },
  {
    name: "a PowerShell command",
    looks: /^\s*(?:\$session\b|Invoke-(?:WebRequest|RestMethod)\b)/i,
    advice: noLogin,
  },
  { name: "a config file", looks: /"(?:auth_token|upstreams)"\s*:/, advice: noToken },
  {
    name: "a copy of Local storage",
    looks: /\b(?:access_token|refresh_token|msh_user_id|volcano-token-info)\b/,
    advice: `${noToken} Perhaps nobody is logged in there.`,
  },
  {
    name: "the headers of a request",
    looks: /^(?::authority|host|authorization|cookie|user-agent)\s*:\s/im,
    advice: noLogin,
  },
  {
    name: "cookies",
    looks: /^\s*(?:[\w.-]+=[^;\s]*(?:;|\s*$)|kimi-auth\b)/,
    advice: "There is no kimi-auth among them: today's site keeps the login in Local storage.",
  },
  { name: "JSON", looks: /^\s*[{[]/, advice: noToken },
];

const plainText: Format = { name: "text", advice: noToken };

/** Looks at the first 64 KB only. */
export function formatOf(pasted: string): Format {
  const head = pasted.slice(0, beginning);
  return formats.find(({ looks }) => looks.test(head)) ?? plainText;
}
