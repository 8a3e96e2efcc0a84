// A process that refreshes the tokens of its accounts as fast as it can until it is killed: `node refresh-worker.mjs <settings>`.
// It reports the outcome of the first refresh of each: `me ok`, or `me` and the error code.
import { writeSync } from "node:fs";
import { Credentials } from "../../dist/src/accounts/credentials.js";
import { openStore } from "../../dist/src/store/open-store.js";

const { storage, url, logins, later } = JSON.parse(process.argv[2]);
// Sets the clock ahead, so that the locks of the killed process have expired.
const clock = Date.now;
Date.now = () => clock() + later;

const { store: location, encryptionKey } = storage;
const encryptionKeys = encryptionKey === undefined ? [] : [Buffer.from(encryptionKey, "base64")];
const store = await openStore({ store: location, encryptionKeys });

async function refresh(refreshToken) {
  const response = await fetch(`${url}/api/account.gateway.v1.AuthService/RefreshToken`, {
    method: "POST",
    body: JSON.stringify({ refresh_token: refreshToken }),
  });
  if (response.status === 401) return "refused";
  return response.json();
}

async function refreshForever(account, tokens) {
  const credentials = await Credentials.open(account, tokens, { store, refresh, warn: () => {} });
  let token = await credentials.accessToken(new AbortController().signal);
  for (let n = 0; ; n++) {
    token = await credentials.replace(token, new AbortController().signal);
    if (n === 0) writeSync(1, `${account} ok\n`);
    await credentials.confirm(token);
  }
}

await Promise.all(
  Object.entries(logins).map(([account, tokens]) =>
    refreshForever(account, tokens).catch((error) => writeSync(1, `${account} ${error.code ?? error}\n`)),
  ),
);
// Keeps the process running until it is killed, even if all refreshes have failed.
setInterval(() => {}, 1_000);
