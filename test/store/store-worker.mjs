// A process on the same store: `node store-worker.mjs <command> <path>`. Prints one line per action.
import { rmSync, writeFileSync, writeSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { SqliteStore } from "../../dist/src/store/sqlite/store.js";

const [, , command, path] = process.argv;
// Synchronous, because printed lines must be true after kill -9.
const print = (line) => writeSync(1, `${line}\n`);

/** Tries to acquire the lock 200 times. Creating a file exclusively checks that no other process holds it. */
async function race() {
  const store = await SqliteStore.open(path);
  const owner = String(process.pid);
  for (let n = 0; n < 200; n++) {
    if (!(await store.acquireLock("lock-a", owner, Date.now() + 60_000))) {
      print("refused");
      await setTimeout(1);
      continue;
    }
    try {
      writeFileSync(`${path}.inside`, owner, { flag: "wx" });
      await setTimeout(n % 3);
      rmSync(`${path}.inside`);
      print("alone");
    } catch {
      print("NOT ALONE");
    }
    await store.releaseLock("lock-a", owner);
  }
  await store.close();
}

/** Claims as many as possible of a thousand threads that other processes claim too. */
async function claim() {
  const store = await SqliteStore.open(path);
  for (let n = 0; n < 1_000; n++) {
    const claimed = await store.claimThread([`key-${n}`], 0);
    print(claimed ? `claimed ${claimed.thread.chat}` : "too late");
    // Varying pauses, so that the processes overtake each other.
    if ((n * process.pid) % 7 === 0) await setTimeout(1);
  }
  await store.close();
}

/** Writes until it is killed or a write fails. */
async function write() {
  const store = await SqliteStore.open(path);
  for (let n = (await store.listKeys()).length; ; n++) {
    const chat = { upstream: "me", chat: `chat-${n}` };
    await store.saveChat({ ...chat, scope: "s", dueAt: 1_000 });
    await store.saveThread([`key-${n}`, `alias-${n}`], {
      ...chat,
      parent: `${n}`,
      system: "SECRET".repeat(50),
    });
    await store.saveCredentials("me", { current: { accessToken: "SECRET" }, startedFrom: "x", savedAt: n });
    await store.addKey({ name: `${n}`, sha256: "00", settings: { scopes: ["chat"] } });
    print(n);
  }
}

async function open() {
  // Root can write everywhere.
  if (process.getuid() === 0) process.setuid(65_534);
  await SqliteStore.open(path);
  print("opened");
}

await { race, claim, write, open }[command]().catch((error) => print(`${error.name}: ${error.message}`));
