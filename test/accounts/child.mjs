// A process that renews its logins as fast as it can until it is killed: `node child.mjs <settings>`. It reports what
// became of the first renewal of each: `me ok`, or `me` and the code of the error.
import { writeSync } from "node:fs";
import { Credentials } from "../../dist/src/accounts/credentials.js";
import { SqliteStore } from "../../dist/src/store/sqlite.js";

const { path, url, logins, later } = JSON.parse(process.argv[2]);
// The clock of a process that is started so much later: the killed one's locks are over.
const clock = Date.now;
Date.now = () => clock() + later;

const store = await SqliteStore.open(path);

async function renew(refreshToken) {
  const response = await fetch(`${url}/api/account.gateway.v1.AuthService/RefreshToken`, {
    method: "POST",
    body: JSON.stringify({ refresh_token: refreshToken }),
  });
  if (response.status === 401) return "refused";
  return response.json();
}

async function live(account, tokens) {
  const credentials = await Credentials.open(account, tokens, { store, renew, warn: () => {} });
  let token = await credentials.accessToken(new AbortController().signal);
  for (let n = 0; ; n++) {
    token = await credentials.replace(token, new AbortController().signal);
    if (n === 0) writeSync(1, `${account} ok\n`);
    await credentials.confirm(token);
  }
}

await Promise.all(
  Object.entries(logins).map(([account, tokens]) =>
    live(account, tokens).catch((error) => writeSync(1, `${account} ${error.code ?? error}\n`)),
  ),
);
// All are lost: what is left is to be killed.
setInterval(() => {}, 1_000);
