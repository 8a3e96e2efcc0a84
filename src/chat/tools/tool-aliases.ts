import type { Tool } from "../../core/types.js";
import { hash } from "../../lib/hash.js";
import { isKimiTool } from "./kimi-tools.js";

const maxNameLength = 64;
const tellableName = /^[A-Za-z0-9_-]{1,64}$/;
const aliasPrefix = "local_";
const foreignPrefix = /^(?:functions|default_api)[.:/]/;

/**
 * The names by which the model knows the client's functions. A name that Kimi's own agent uses, or that is not
 * `[A-Za-z0-9_-]{1,64}`, is told under an alias. `known` are the aliases that the chat was told before: they stay.
 */
export class ToolAliases {
  readonly #told = new Map<string, string>();
  /** By the told name, and by the client's. */
  readonly #byTold = new Map<string, Tool>();
  readonly #byName = new Map<string, Tool>();
  /** By both without case, `_`, `-` and `.`; undefined where two tools share one. */
  readonly #byPlainName = new Map<string, Tool | undefined>();

  constructor(tools: readonly Tool[], known: Readonly<Record<string, string>> = {}) {
    for (const tool of tools) if (!this.#byName.has(tool.name)) this.#byName.set(tool.name, tool);
    for (const [name, alias] of Object.entries(known)) this.#told.set(name, alias);
    const taken = new Set(this.#told.values());
    const names = [...this.#byName.keys()].filter((name) => !this.#told.has(name));
    for (const name of names) if (isTellable(name) && !taken.has(name)) this.#told.set(name, name);
    for (const name of this.#told.values()) taken.add(name);
    for (const name of names) {
      if (this.#told.has(name)) continue;
      const alias = createAlias(name, taken);
      taken.add(alias);
      this.#told.set(name, alias);
    }
    for (const tool of this.#byName.values()) this.#register(tool);
  }

  /** The name by which the model knows a function; also for one of the history that is not declared any more. */
  told(name: string): string {
    return this.#told.get(name) ?? (isTellable(name) ? name : createAlias(name, new Set()));
  }

  /** Names and told names of all functions, where they differ: for the chat's state. */
  get renamed(): Record<string, string> {
    return Object.fromEntries([...this.#told].filter(([name, alias]) => name !== alias));
  }

  /**
   * The function that the model means by a name: by exact alias, exact name, without regard to case, `_`, `-` and `.` where
   * that is unique, then the same without `functions.` or `default_api.` in front.
   */
  resolve(nameAsWritten: string): Tool | undefined {
    const name = nameAsWritten.trim();
    return this.#find(name) ?? this.#find(name.replace(foreignPrefix, ""));
  }

  #find(name: string): Tool | undefined {
    return this.#byTold.get(name) ?? this.#byName.get(name) ?? this.#byPlainName.get(plainName(name));
  }

  #register(tool: Tool): void {
    const told = this.told(tool.name);
    this.#byTold.set(told, tool);
    for (const plain of new Set([plainName(told), plainName(tool.name)])) {
      const isShared = this.#byPlainName.has(plain) && this.#byPlainName.get(plain) !== tool;
      this.#byPlainName.set(plain, isShared ? undefined : tool);
    }
  }
}

function isTellable(name: string): boolean {
  return tellableName.test(name) && !isKimiTool(name);
}

/** An alias that depends on the name alone, unless it is taken. A name that loses characters gets a part of its hash. */
function createAlias(name: string, taken: ReadonlySet<string>): string {
  const plain = name
    .replace(/[^A-Za-z0-9_-]+/g, "_")
    .replace(/_{2,}/g, "_")
    .replace(/^_|_$/g, "");
  const isComplete = tellableName.test(name);
  const candidate = isKimiTool(plain) || plain === "" ? `${aliasPrefix}${plain}` : plain;
  if (isComplete && candidate.length <= maxNameLength && !taken.has(candidate)) return candidate;
  for (let attempt = 0; ; attempt++) {
    const digest = hash(name, String(attempt))
      .replace(/[^A-Za-z0-9]/g, "")
      .slice(0, 6)
      .toLowerCase();
    const alias = `${candidate.slice(0, maxNameLength - digest.length - 1)}_${digest}`;
    if (!taken.has(alias)) return alias;
  }
}

function plainName(name: string): string {
  return name.toLowerCase().replace(/[_.-]/g, "");
}
