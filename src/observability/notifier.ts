import { type ChildProcess, spawn } from "node:child_process";
import { type Dispatcher, request } from "undici";
import { limits } from "../core/limits.js";
import { errorCode } from "../lib/error-code.js";
import { ProxyError } from "../proxy/proxy-error.js";

/** What a person should know without looking. `text` is for them; it never holds a token or words of a conversation. */
export type Notification = {
  event: "login_required" | "login_works" | "kimi_changed";
  /** The upstream that it is about. */
  upstream?: string;
  text: string;
};

/** `command`: a program and its arguments; it is run without a shell. `webhook`: an address, which may hold a secret. */
export type NotifySettings = { command?: readonly string[]; webhook?: string };

export type NotifierOptions = {
  settings: () => NotifySettings;
  warn(message: string, error: unknown): void;
  /** How the webhook is reached; undici's default connections by default. */
  dispatcher?: Dispatcher;
};

/** Hands notifications to the owner's command and webhook, one after the other. A failure is a warning in the log. */
export class Notifier {
  readonly #options: NotifierOptions;
  readonly #abort = new AbortController();
  #last: Promise<void> = Promise.resolve();
  #waiting = 0;

  constructor(options: NotifierOptions) {
    this.#options = options;
  }

  /** Queues a notification; beyond `limits.notifications` waiting ones it is dropped with a warning. */
  notify(notification: Notification): void {
    const { command, webhook } = this.#options.settings();
    if (command === undefined && webhook === undefined) return;
    if (this.#waiting >= limits.notifications) {
      this.#options.warn("a notification was dropped: too many wait", undefined);
      return;
    }
    this.#waiting++;
    this.#last = this.#last.then(async () => {
      await this.#deliver(notification, { command, webhook });
      this.#waiting--;
    });
  }

  /** Stops what is being delivered, and resolves when that has ended. */
  async close(): Promise<void> {
    this.#abort.abort();
    await this.#last;
  }

  async #deliver(
    notification: Notification,
    { command, webhook }: { command: readonly string[] | undefined; webhook: string | undefined },
  ): Promise<void> {
    const body = JSON.stringify({ ...notification, time: new Date().toISOString() });
    const signal = AbortSignal.any([this.#abort.signal, AbortSignal.timeout(limits.notification)]);
    const fail = (receiver: string) => (error: unknown) =>
      this.#options.warn(`a notification could not be delivered to the ${receiver}`, error);
    await Promise.all([
      command && run(command, notification, body, signal).catch(fail("command")),
      webhook && post(webhook, body, signal, this.#options.dispatcher).catch(fail("webhook")),
    ]);
  }
}

/**
 * The command gets the notification as JSON on standard input, and its parts in variables. On abort it is killed with the
 * processes that it has started, and the signal's reason is thrown.
 */
function run(
  [program = "", ...args]: readonly string[],
  { event, text, upstream = "" }: Notification,
  body: string,
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const variables = {
      MOONBRIDGE_EVENT: event,
      MOONBRIDGE_EVENT_TEXT: text,
      MOONBRIDGE_EVENT_UPSTREAM: upstream,
    };
    const env = { ...withoutSecrets(process.env), ...variables };
    const child = spawn(program, args, {
      env,
      // A process group of its own, so that it can be killed as a whole.
      detached: process.platform !== "win32",
      stdio: ["pipe", "ignore", "ignore"],
      windowsHide: true,
    });
    const stop = () => {
      killGroup(child);
      reject(signal.reason);
    };
    signal.addEventListener("abort", stop, { once: true });
    child.once("error", reject);
    child.once("close", (code) => {
      signal.removeEventListener("abort", stop);
      if (code === 0) resolve();
      else reject(Object.assign(new Error("The command failed."), { code: `EXIT_${code}` }));
    });
    // A program that reads nothing closes the pipe.
    child.stdin.on("error", () => {});
    child.stdin.end(body);
  });
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  if (process.platform === "win32") {
    child.kill();
    return;
  }
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch (error) {
    if (errorCode(error) !== "ESRCH") throw error;
  }
}

/** The environment without Moonbridge's own settings, among which are tokens and keys. */
function withoutSecrets(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !name.startsWith("MOONBRIDGE_")));
}

/** The error has a message of its own: undici's can quote the address. */
async function post(
  url: string,
  body: string,
  signal: AbortSignal,
  dispatcher: Dispatcher | undefined,
): Promise<void> {
  const headers = { "content-type": "application/json" };
  const options = { method: "POST", headers, body, signal, ...(dispatcher ? { dispatcher } : {}) } as const;
  let status: number;
  try {
    const response = await request(url, options);
    await response.body.dump({ limit: limits.unaryBody });
    status = response.statusCode;
  } catch (error) {
    const reason = error instanceof ProxyError ? `: ${error.message}` : "";
    const failure = new Error(`The webhook cannot be reached${reason}.`);
    throw Object.assign(failure, { code: errorCode(error) ?? "FAILED" });
  }
  if (status >= 300) throw Object.assign(new Error("The webhook refused."), { code: `HTTP_${status}` });
}
