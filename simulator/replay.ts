import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Visit } from "./http-call.js";
import { type RecordedAnswer, readRecording } from "./recorded.js";
import { Wire } from "./response-writer.js";

/** A recording that is none, or cannot be read. */
export class RecordingError extends Error {}

const mostBytes = 1_073_741_824;
/** Where signed addresses of a recording point. */
const signedOrigin = "http://signed.invalid";

/** Every ask for new tokens is answered with new ones, since those of the recording were removed. */
const logins = new Set([
  "POST /api/account.gateway.v1.AuthService/RefreshToken",
  "GET /api/auth/token/refresh",
]);

/** Answers that Kimi once gave, each in its turn, and the last of a kind from then on. */
export class Replay {
  readonly #answers = new Map<string, RecordedAnswer[]>();

  /** Reads a folder that `moonbridge serve --record` has written. Throws RecordingError. */
  static async open(folder: string): Promise<Replay> {
    const replay = new Replay();
    for (const [name, content] of await readFolder(folder)) {
      const recorded = readRecording(content);
      if (!recorded) throw new RecordingError(`${join(folder, name)} is not of the form of a recording.`);
      replay.#add(`${recorded.method} ${recorded.path}`, recorded.answer);
    }
    if (replay.#answers.size === 0) throw new RecordingError(`there is nothing recorded in ${folder}.`);
    return replay;
  }

  #add(called: string, answer: RecordedAnswer): void {
    if (logins.has(called)) return;
    const kind = kindOf(called);
    this.#answers.set(kind, [...(this.#answers.get(kind) ?? []), answer]);
  }

  /** Gives the next answer to a call of this kind; false where none was recorded. */
  async answer(visit: Visit, pace: number): Promise<boolean> {
    const answers = this.#answers.get(kindOf(`${visit.call.method} ${visit.call.path}`)) ?? [];
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    if (!answer) return false;
    for await (const _ of visit.request.iterator({ destroyOnReturn: false }));
    await give(answer, visit, pace);
    return true;
  }
}

async function give(answer: RecordedAnswer, visit: Visit, pace: number): Promise<void> {
  if (!answer.head) return visit.cut();
  const wire = new Wire(visit, {});
  visit.response.writeHead(answer.head.status, answer.head.headers).flushHeaders();
  const site = `http://${visit.request.headers.host ?? "127.0.0.1"}`;
  for (const bytes of answer.body) {
    wire.bytes(hasAddress(bytes) ? Buffer.from(bytes.toString().replaceAll(signedOrigin, site)) : bytes);
    if (pace > 0) await sleep(pace, undefined, { signal: visit.stopped });
    if (pace > 0 || wire.full) await wire.flush();
  }
  await (answer.complete ? wire.end() : wire.cut());
}

/** Only bodies of short calls hold addresses that are followed, and their length is nowhere else. */
function hasAddress(bytes: Buffer): boolean {
  return bytes[0] === 0x7b && bytes.includes(signedOrigin);
}

/** A call without its ids: those of the recording are not those of today. */
function kindOf(called: string): string {
  return called.replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\b[0-9a-v]{20}\b/g, "*");
}

/** The files of a folder in the order of their numbers. */
async function readFolder(folder: string): Promise<[name: string, content: string][]> {
  try {
    const names = (await readdir(folder)).filter((name) => /^\d+\.jsonl$/.test(name));
    names.sort((one, other) => Number.parseInt(one, 10) - Number.parseInt(other, 10));
    const files: [string, string][] = [];
    let bytes = 0;
    for (const name of names) {
      const content = await readFile(join(folder, name), "utf8");
      bytes += content.length;
      if (bytes > mostBytes) throw new RecordingError(`there is too much in ${folder}.`);
      files.push([name, content]);
    }
    return files;
  } catch (cause) {
    if (cause instanceof RecordingError) throw cause;
    throw new RecordingError(`${folder} cannot be read.`, { cause });
  }
}
