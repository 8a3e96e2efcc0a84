// A process on the same store: `node store-worker.mjs <command> <config as JSON> [<file>]`. Prints one line per action.
import { rmSync, writeFileSync, writeSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { openStore } from "../../dist/src/store/open-store.js";

const [, , command, config, file] = process.argv;
const { encryptionKeys, ...rest } = JSON.parse(config);
const open = () =>
  openStore({ ...rest, encryptionKeys: encryptionKeys.map((key) => Buffer.from(key, "hex")) });
// Synchronous, because printed lines must be true after kill -9.
const print = (line) => writeSync(1, `${line}\n`);

/** Tries to acquire the lock 200 times. Creating a file exclusively checks that no other process holds it. */
async function race() {
  const store = await open();
  const owner = String(process.pid);
  for (let n = 0; n < 200; n++) {
    if ((await store.acquireLock("lock-a", owner, Date.now() + 60_000)) === undefined) {
      print("refused");
      await setTimeout(1);
      continue;
    }
    try {
      writeFileSync(file, owner, { flag: "wx" });
      await setTimeout(n % 3);
      rmSync(file);
      print("alone");
    } catch {
      print("NOT ALONE");
    }
    await store.releaseLock("lock-a", owner);
  }
  await store.close();
}

/**
 * Claims as many as possible of the chats of the nodes 1 to 1,000, which other processes claim too. Every second node is
 * the end of a line.
 */
async function claim() {
  const store = await open();
  for (let node = 1; node <= 1_000; node++) {
    const isLine = node % 2 === 0;
    const owner = String(process.pid);
    const until = Date.now() + 3_600_000;
    const claim = { node, isLine, isLeaf: false, owner, conversation: "c", until, dueAt: 1_000, now: 100 };
    const isClaimed = await store.claimChat(claim);
    print(isClaimed ? `claimed ${node}` : "too late");
    // Varying pauses, so that the processes overtake each other.
    if ((node * process.pid) % 7 === 0) await setTimeout(1);
  }
  await store.close();
}

/**
 * Continues eight conversations, which other processes continue too, until it is killed: each turn at the end of a line. A new
 * line begins where the process that had claimed one was killed. Prints the name of each saved turn.
 */
async function converse() {
  const store = await open();
  for (let n = 0; ; n++) {
    const conversation = `conversation-${n % 8}`;
    const name = `${process.pid}-${n}`;
    const [end] = await store.findNodes({ by: "conversation", hash: conversation }, 1, Date.now());
    if (end?.chat?.answering) continue;
    const dueAt = Date.now() + 3_600_000;
    const chat = { upstream: "me", chat: end?.chat?.end ? end.chat.chat : `chat-${name}` };
    if (end?.chat?.end) {
      const [node, owner, until] = [end.id, name, Date.now() + 1_000];
      const claim = { node, isLine: true, isLeaf: true, owner, conversation, until, dueAt, now: Date.now() };
      if (!(await store.claimChat(claim))) continue;
    } else await store.saveChat({ ...chat, scope: "s", dueAt });
    const hashes = { conversation, paths: [name], messages: [], answers: [], systemTexts: [], system: "" };
    const parent = end?.chat?.end ? { parent: end.id } : {};
    await store.saveNode({ answerId: name, ...parent, ...hashes }, chat);
    print(name);
  }
}

/** Writes until it is killed or a write fails: chats of ten turns each, the turns all of one conversation. */
async function write() {
  const store = await open();
  for (let n = (await store.listKeys()).length; ; n++) {
    const chat = { upstream: "me", chat: `chat-${Math.floor(n / 10)}` };
    await store.saveChat({ ...chat, scope: "s", dueAt: 1_000 });
    const [parent] = await store.findNodes({ by: "path", hash: `path-${n - 1}` }, 1, 0);
    await store.saveNode(
      {
        answerId: `answer-${n}`,
        ...(parent ? { parent: parent.id } : {}),
        conversation: "c",
        paths: [`path-${n}`, `other-path-${n}`],
        messages: [],
        answers: [`answer-${n}`],
        systemTexts: [],
        system: "SECRET".repeat(50),
      },
      chat,
    );
    await store.saveCredentials("me", { current: { accessToken: "SECRET" }, startedFrom: "x", savedAt: n });
    await store.addKey({ name: `${n}`, sha256: "00", settings: { scopes: ["chat"] } });
    print(n);
  }
}

/**
 * Saves nodes until one fails, and some more once its standard input ends. Prints the failures, and the nodes that were
 * acknowledged after the first one.
 */
async function recover() {
  const store = await open();
  const chat = { upstream: "me", chat: "a" };
  await store.saveChat({ ...chat, scope: "s", dueAt: 1_000 });
  const save = (name) =>
    store.saveNode(
      {
        answerId: name,
        conversation: "c",
        paths: [name],
        messages: [],
        answers: [],
        systemTexts: [],
        system: "SECRET".repeat(50),
      },
      chat,
    );
  const attempt = (name) =>
    save(name).then(
      () => print(`saved ${name}`),
      (error) => print(error.message),
    );
  for (let n = 0; ; n++) {
    try {
      await save(`node-${n}`);
    } catch (error) {
      print(error.message);
      break;
    }
  }
  await attempt("full");
  print("waiting");
  for await (const _ of process.stdin);
  await attempt("alone");
  await Promise.all(["first of batch", "second of batch"].map(attempt));
  // Like a process that is killed: what is not committed now is lost.
  process.kill(process.pid, "SIGKILL");
}

async function openUnprivileged() {
  // Root can write everywhere.
  if (process.getuid() === 0) process.setuid(65_534);
  await open();
  print("opened");
}

await { race, claim, converse, write, recover, open: openUnprivileged }
  [command]()
  .catch((error) => print(`${error.name}: ${error.message}`));
