// Another process on the same store: `node child.mjs <what> <path>`. Reports one line for each thing done.
import { rmSync, writeFileSync, writeSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { SqliteStore } from "../../dist/src/store/sqlite.js";

const [, , what, path] = process.argv;
// At once, not when the event loop finds the time: what was said must be true after kill -9.
const say = (line) => writeSync(1, `${line}\n`);

/** Takes the lock 200 times if it can; inside it must be alone, which a file tells that may exist only once. */
async function race() {
  const store = await SqliteStore.open(path);
  const owner = String(process.pid);
  for (let n = 0; n < 200; n++) {
    if (!(await store.lock("door", owner, Date.now() + 60_000))) {
      say("refused");
      await setTimeout(1);
      continue;
    }
    try {
      writeFileSync(`${path}.inside`, owner, { flag: "wx" });
      await setTimeout(n % 3);
      rmSync(`${path}.inside`);
      say("alone");
    } catch {
      say("NOT ALONE");
    }
    await store.unlock("door", owner);
  }
  await store.close();
}

/** Takes what it can of a thousand places, all of which others want too. */
async function take() {
  const store = await SqliteStore.open(path);
  for (let n = 0; n < 1_000; n++) {
    const place = await store.takeThread([`key-${n}`], 0);
    say(place ? `took ${place.thread.chat}` : "too late");
    // Long ones and short ones, so that the processes overtake each other.
    if ((n * process.pid) % 7 === 0) await setTimeout(1);
  }
  await store.close();
}

/** Writes until it is killed or fails. */
async function write() {
  const store = await SqliteStore.open(path);
  for (let n = (await store.keys()).length; ; n++) {
    const chat = { upstream: "me", chat: `chat-${n}` };
    await store.saveChat({ ...chat, scope: "s", dueAt: 1_000 });
    await store.saveThread([`key-${n}`, `alias-${n}`], {
      ...chat,
      parent: `${n}`,
      system: "SECRET".repeat(50),
    });
    await store.saveCredentials("me", { current: { accessToken: "SECRET" }, startedFrom: "x", savedAt: n });
    await store.addKey({ name: `${n}`, sha256: "00", settings: { scopes: ["chat"] } });
    say(n);
  }
}

async function open() {
  // Root may write everywhere.
  if (process.getuid() === 0) process.setuid(65_534);
  await SqliteStore.open(path);
  say("opened");
}

await { race, take, write, open }[what]().catch((error) => say(`${error.name}: ${error.message}`));
