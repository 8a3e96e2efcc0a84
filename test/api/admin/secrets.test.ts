import { expect, onTestFinished, test } from "vitest";
import { apiKey, chatBody, type Gateway, postChat, startGateway } from "../../gateway.js";
import { adminJson, requestAdmin, tokensOf } from "./administrator.js";

type Paths = Record<string, Record<string, object>>;

/** All that the events of a gateway have said so far. */
async function watch(gateway: Gateway): Promise<() => string> {
  const abort = new AbortController();
  onTestFinished(() => abort.abort());
  const headers = { authorization: `Bearer ${apiKey}` };
  const response = await fetch(`${gateway.url}/v1/admin/events`, { headers, signal: abort.signal });
  let text = "";
  const read = async () => {
    for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) text += chunk;
  };
  read().catch(() => {});
  return () => text;
}

test("no answer and no event of /v1/admin has a key, a token, a cookie, a prompt or an answer", async () => {
  const gateway = await startGateway({ keys: [{ name: "phone", key: "sk-CANARY-phone" }] });
  const events = await watch(gateway);
  await (await postChat(gateway, chatBody("CANARY prompt sim:say=CANARY-answer"))).text();
  const code = await gateway.createLoginCode();
  const login = await requestAdmin(gateway, "POST", "/sessions", { code }, {});
  const cookie = login.headers.get("set-cookie")?.split(";")[0] ?? "";
  const { key: newKey } = await adminJson(gateway, "POST", "/keys", { name: "made" });
  const imported = gateway.simulator.issue();
  const { url } = gateway.simulator;
  const text = `${imported.accessToken} ${imported.refreshToken}`;
  const bodies: Record<string, object> = {
    "/v1/admin/accounts": { text, base_url: url, auth_url: url },
    "/v1/admin/diagnostics": {},
    "/v1/admin/sessions": { key: apiKey },
    "/v1/admin/keys": { name: "made" },
    "/v1/admin/keys/{id}": { concurrency: 3 },
  };
  const [conversation] = Object((await adminJson(gateway, "GET", "/conversations")).data);
  const [request] = Object((await adminJson(gateway, "GET", "/requests")).data);
  const ids: [RegExp, string][] = [
    [/accounts\/\{id\}/, "accounts/me"],
    [/keys\/\{id\}/, "keys/made"],
    [/requests\/\{id\}/, `requests/${request.id}`],
    [/\{upstream\}\/\{id\}/, `me/${conversation.id}`],
  ];
  const { paths }: { paths: Paths } = JSON.parse(await (await fetch(`${gateway.url}/openapi.json`)).text());
  const operations = Object.entries(paths)
    .filter(([path]) => path.startsWith("/v1/admin/") && !path.endsWith("/events"))
    .flatMap(([path, methods]) => Object.keys(methods).map((method) => ({ path, method })))
    // Removals last, so that the others have something to answer.
    .sort((a, b) => Number(a.method === "delete") - Number(b.method === "delete"));
  expect(operations.length).toBeGreaterThan(20);
  const secrets = [
    ...["CANARY", apiKey, String(newKey), code, cookie.slice("moonbridge_session=".length)],
    ...[...tokensOf(gateway), imported.accessToken ?? "none", imported.refreshToken ?? "none"],
  ];
  const statuses: number[] = [];
  for (const { path, method } of operations) {
    const url = ids.reduce((all, [pattern, id]) => all.replace(pattern, id), path);
    const body = method === "get" || method === "delete" ? undefined : (bodies[path] ?? {});
    const headers = { authorization: `Bearer ${apiKey}` };
    const response = await requestAdmin(
      gateway,
      method.toUpperCase(),
      url.slice("/v1/admin".length),
      body,
      headers,
    );
    const answered = await response.text();
    statuses.push(response.status);
    for (const secret of secrets)
      expect([method, path, secret.length > 8 && answered.includes(secret)]).toEqual([method, path, false]);
  }
  expect(statuses.filter((status) => status === 200).length).toBeGreaterThan(20);
  await (await postChat(gateway, chatBody("CANARY sim:fault=http,500"))).text();
  await expect.poll(() => events().match(/^event: request\.ended$/gm)?.length).toBeGreaterThan(1);
  for (const secret of secrets) expect(events().includes(secret)).toBe(false);
});
