/** A command for a shell. `shell` names it where the platform has several; `lines` are pasted together. */
export type ExampleRequest = { shell: string | undefined; lines: readonly string[] };

/**
 * Commands that send a first chat, each of which works when it is pasted. Without a key they read the shell's variable
 * MOONBRIDGE_KEY. Windows has two shells that quote differently, and whose encodings do not all have Chinese characters.
 */
export function exampleRequests(
  platform: NodeJS.Platform,
  baseUrl: string,
  key: string | undefined,
): ExampleRequest[] {
  const url = `${baseUrl}/v1/chat/completions`;
  const isSecure = baseUrl.startsWith("https:");
  // The certificate is for the name that clients use, which need not be this one.
  const options = isSecure ? "-kN" : "-N";
  if (platform === "win32") {
    const body = JSON.stringify({ model: "kimi", messages: [{ role: "user", content: "Hello!" }] });
    const commandPrompt = `curl ${options} ${url} -H "Authorization: Bearer ${key ?? "%MOONBRIDGE_KEY%"}" -H "Content-Type: application/json" -d "${body.replaceAll('"', '\\"')}"`;
    // `curl` is another program in Windows PowerShell 5, which also removes double quotes from arguments.
    const powerShell = `(irm ${url} -Method Post -Headers @{Authorization="Bearer ${key ?? "$env:MOONBRIDGE_KEY"}"} -ContentType application/json${isSecure ? " -SkipCertificateCheck" : ""} -Body '${body}').choices[0].message.content`;
    return [
      { shell: "cmd", lines: [commandPrompt] },
      { shell: "PowerShell", lines: [powerShell] },
    ];
  }
  // A shell puts a variable's value into double quotes only.
  const authorization =
    key === undefined ? '"Authorization: Bearer $MOONBRIDGE_KEY"' : `'Authorization: Bearer ${key}'`;
  return [
    {
      shell: undefined,
      lines: [
        `curl ${options} ${url} -H ${authorization} \\`,
        "  -H 'Content-Type: application/json' \\",
        `  -d '{"model":"kimi","stream":true,"messages":[{"role":"user","content":"你好！"}]}'`,
      ],
    },
  ];
}
