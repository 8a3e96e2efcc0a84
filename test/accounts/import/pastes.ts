/** Pastes of synthetic tokens in every supported form. */
export const pastes: Record<string, (access: string, refresh: string) => string> = {
  "two tokens, one per line": (access, refresh) => `${access}\n${refresh}\n`,
  "two tokens with Bearer": (access, refresh) => `Bearer ${access}\r\nbearer  ${refresh}`,
  "two tokens without a separator": (access, refresh) => `${access}${refresh}`,
  "two tokens in a sentence": (access, refresh) => `My tokens are “${access}” and (${refresh}).`,
  "rows copied from DevTools": (access, refresh) =>
    `msh_user_id\td00\naccess_token\t${access}\nrefresh_token\t${refresh}\nvolcano-token-info\t{"webId":"7"}`,
  "Local storage as an object": (access, refresh) =>
    JSON.stringify({ access_token: access, refresh_token: refresh, msh_user_id: "d0" }, null, 2),
  "Local storage as a string of a string": (access, refresh) =>
    JSON.stringify(JSON.stringify({ access_token: access, refresh_token: refresh })),
  "Local storage as keys and values": (access, refresh) =>
    JSON.stringify([
      { key: "access_token", value: access },
      { key: "refresh_token", value: refresh },
    ]),
  "Local storage as pairs": (access, refresh) =>
    JSON.stringify([
      ["access_token", access],
      ["refresh_token", refresh],
    ]),
  "Local storage, percent-encoded": (access, refresh) =>
    encodeURIComponent(JSON.stringify({ access_token: access, refresh_token: refresh })),
  "cookies, percent-encoded": (access, refresh) => `kimi-auth=Bearer%20${access}; other=${refresh}`,
  "a cookie header": (access, refresh) =>
    `Cookie: _ga=GA1.1.1; kimi-auth=${access}; theme=dark; refresh=${refresh}`,
  "copy as cURL, bash": (access, refresh) =>
    `curl 'https://www.kimi.ai/apiv2/kimi.gateway.chat.v1.ChatService/ListChats' \\\n` +
    `  -H 'accept: */*' \\\n  -H 'authorization: Bearer ${access}' \\\n  -b 'a=b; kimi-auth=${access}' \\\n` +
    `  --data-raw '{"refresh_token":"${refresh}"}' --compressed`,
  "copy as cURL, bash with $'…'": (access, refresh) =>
    `curl 'https://www.kimi.ai/x' -H $'authorization: Bearer ${access}' --data-raw $'{\\"note\\":\\"it\\'s\\u0021\\",\\"refresh_token\\":\\"${refresh}\\"}'`,
  "copy as cURL, Windows": (access, refresh) =>
    `curl ^"https://www.kimi.ai/apiv2/x^" ^\r\n  -H ^"authorization: Bearer ${access}^" ^\r\n` +
    `  --data-raw ^"^{^\\^"refresh_token^\\^":^\\^"${refresh}^\\^"^}^"`,
  "copy as fetch": (access, refresh) =>
    `fetch("https://www.kimi.ai/apiv2/x", {\n  "headers": {\n    "authorization": "Bearer ${access}"\n  },\n` +
    `  "body": "{\\"refresh_token\\":\\"${refresh}\\"}",\n  "method": "POST"\n});`,
  "copy as PowerShell": (access, refresh) =>
    `$session = New-Object Microsoft.PowerShell.Commands.WebRequestSession\n` +
    `$session.Cookies.Add((New-Object System.Net.Cookie("kimi-auth", "${access}", "/", ".kimi.com")))\n` +
    `Invoke-WebRequest -Headers @{\n"authorization"="Bearer ${access}"\n} -Body "{\`"refresh_token\`":\`"${refresh}\`"}"`,
  "the headers of a request": (access, refresh) =>
    `:authority: www.kimi.ai\nauthorization: Bearer ${access}\nx-other: ${refresh}`,
  "a HAR file": (access, refresh) =>
    JSON.stringify({
      log: {
        version: "1.2",
        entries: [
          {
            request: {
              url: "https://www.kimi.ai/",
              headers: [{ name: "authorization", value: `Bearer ${access}` }],
            },
          },
          { response: { content: { text: JSON.stringify({ accessToken: access, refreshToken: refresh }) } } },
        ],
      },
    }),
  "the original's config": (access, refresh) =>
    `{ "token": "12345678", // mine\n "auth_token": "Bearer ${access}", "refresh_token": "Bearer ${refresh}" }`,
  "our config": (access, refresh) =>
    JSON.stringify({
      upstreams: [{ name: "me", kind: "kimi-web", accessToken: access, refreshToken: refresh }],
    }),
};

/** Wraps the text to lines of `width` characters, joined by `newline`. */
export function wrapLines(text: string, width: number, newline: string): string {
  return text.match(new RegExp(`[^]{1,${width}}`, "g"))?.join(newline) ?? "";
}
