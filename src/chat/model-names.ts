import type { GatewayError } from "../core/errors.js";
import type { Model, Principal, Upstream } from "../core/types.js";
import { matchesWildcard } from "../lib/wildcard.js";

/** Names of the upstream's default chat model; `moonshot-v1` is the one that users of kimi-free-api have configured. */
export const defaultModelNames = ["moonshot-v1", "kimi"] as const;

/** A further name of the default chat model: Claude Code's discovery takes only names with “claude” (clients.md §4.1). */
export const discoveryModelName = "claude-kimi";

/**
 * Names of the Moonshot platform's models (moonshot-platform.md A.3). They mean the default chat model, unless an
 * upstream lists them. The first ones are listed; the patterns cover their many versions.
 */
export const platformModelNames = [
  "moonshot-v1-8k",
  "moonshot-v1-32k",
  "moonshot-v1-128k",
  "moonshot-v1-auto",
  "kimi-latest",
  "kimi-k2",
] as const;
const platformModelPatterns = [...platformModelNames.map((name) => `${name}*`), "kimi-thinking-preview"];

/** Suffixes of a model's name, for UIs that can only pick a model: `kimi-thinking-search`. */
export const modelSuffixes = ["thinking", "search", "nosearch", "silent", "vision"] as const;
export type ModelSuffix = (typeof modelSuffixes)[number];

/** Characters. No model has a longer name. */
const maxNameLength = 300;

/** Upstream names by model name or pattern, in order of preference. A model name may exist only here. */
export type RoutingTable = Readonly<Record<string, readonly string[]>>;

/** The configured meanings of model names; in both tables a name may be a pattern with `*`. */
export type ModelNameTables = {
  routes: RoutingTable;
  /** The model that a name stands for, with any suffixes. */
  modelAliases: Readonly<Record<string, string>>;
};

/** The models of an upstream; none, with `failure`, if its catalogue call failed. */
export type AvailableModels = { upstream: Upstream; models: Model[]; failure?: GatewayError };

/** A requested model name, taken apart. */
export type ModelName = {
  /** The whole name, in the spelling of the list of models and the configuration. */
  spelling: string;
  /** The upstream chosen by `upstream/model`, here or in the alias. */
  upstream: string | undefined;
  /** Without upstream and suffixes. */
  name: string;
  /** The model that `name` stands for: itself, unless it is an alias or one of the platform's names. */
  base: string;
  /** Of the name and of its alias. */
  suffixes: ReadonlySet<ModelSuffix>;
  /** One of the platform's names, which no upstream lists. */
  isPlatformName: boolean;
};

/** A beginning of a name, and the suffixes behind it. */
type Beginning = { text: string; suffixes: readonly ModelSuffix[] };

/** Takes model names apart, given the models that the upstreams have and the configured names. */
export class ModelNames {
  readonly #available: readonly AvailableModels[];
  readonly #tables: ModelNameTables;
  readonly #known: ReadonlySet<string>;
  /** By the name in lower case; built only for a name that is not spelled as listed. */
  #spellings: ReadonlyMap<string, string> | undefined;
  /** By the upstream's name. */
  readonly #ofUpstream = new Map<string, ModelNames>();

  constructor(available: readonly AvailableModels[], tables: ModelNameTables) {
    this.#available = available;
    this.#tables = tables;
    this.#known = new Set([
      ...exactNames(tables.routes),
      ...exactNames(tables.modelAliases),
      ...available.flatMap(({ models }) => models.map(({ id }) => id)),
      ...defaultModelNames,
      discoveryModelName,
    ]);
  }

  /**
   * Exact names come first, in any letter case and with space around them; of several the longest one, since a model's
   * own name may end like a suffix. Then `upstream/model`, then patterns in the order of the configuration.
   */
  parse(requested: string): ModelName {
    const trimmed = requested.trim();
    const beginnings = trimmed.length > maxNameLength ? [] : removeSuffixes(trimmed);
    return (
      this.#parseKnown(beginnings) ??
      this.#parseUpstream(trimmed) ??
      this.#parsePatterns(beginnings.toReversed()) ??
      toModelName({ text: trimmed, suffixes: [] }, trimmed)
    );
  }

  /**
   * Whether the principal may use this model: it is one of the key's models, or one of them with more suffixes. A name
   * without an upstream does not include `upstream/model`, which may be another account or cost money.
   */
  isAllowed({ models = ["*"] }: Pick<Principal, "models">, requested: ModelName): boolean {
    if (models.includes("*")) return true;
    return models.some((model) => {
      const { name, upstream, suffixes } = this.parse(model);
      return (
        name === requested.name &&
        upstream === requested.upstream &&
        [...suffixes].every((suffix) => requested.suffixes.has(suffix))
      );
    });
  }

  #parseKnown(beginnings: readonly Beginning[]): ModelName | undefined {
    for (const { text, suffixes } of beginnings) {
      const spelled = this.#findSpelling(text);
      if (spelled === undefined) continue;
      const beginning = { text: spelled, suffixes };
      const target = Object.hasOwn(this.#tables.modelAliases, spelled)
        ? this.#tables.modelAliases[spelled]
        : undefined;
      if (target !== undefined) return this.#resolveAlias(beginning, target);
      return toModelName(beginning, spelled === discoveryModelName ? "kimi" : spelled);
    }
    return undefined;
  }

  #findSpelling(text: string): string | undefined {
    if (this.#known.has(text) || this.#isUnlistedModel(text)) return text;
    this.#spellings ??= new Map([...this.#known].toReversed().map((name) => [name.toLowerCase(), name]));
    const lowerCase = text.toLowerCase();
    return this.#spellings.get(lowerCase) ?? (this.#isUnlistedModel(lowerCase) ? lowerCase : undefined);
  }

  #isUnlistedModel(name: string): boolean {
    return this.#available.some(({ upstream }) => upstream.findModel?.(name));
  }

  #parseUpstream(trimmed: string): ModelName | undefined {
    const slash = trimmed.indexOf("/");
    const prefix = trimmed.slice(0, Math.max(slash, 0));
    const entry =
      this.#available.find(({ upstream }) => upstream.name === prefix) ??
      this.#available.find(({ upstream }) => upstream.name.toLowerCase() === prefix.toLowerCase());
    if (!entry) return undefined;
    const { name } = entry.upstream;
    const names = this.#ofUpstream.get(name) ?? new ModelNames([entry], this.#tables);
    this.#ofUpstream.set(name, names);
    const parsed = names.parse(trimmed.slice(slash + 1));
    return { ...parsed, upstream: name, spelling: `${name}/${parsed.spelling}` };
  }

  /** Of several beginnings that match, the shortest one counts, so that suffixes keep their meaning. */
  #parsePatterns(shortestFirst: readonly Beginning[]): ModelName | undefined {
    for (const beginning of shortestFirst) {
      const target = findByPattern(this.#tables.modelAliases, beginning.text);
      if (target !== undefined) return this.#resolveAlias(beginning, target);
    }
    const platformName = shortestFirst.find(({ text }) =>
      platformModelPatterns.some((pattern) => matchesWildcard(pattern, text)),
    );
    if (platformName) return fromPlatformName(platformName);
    const routed = shortestFirst.find(({ text }) => findByPattern(this.#tables.routes, text));
    return routed && toModelName(routed, routed.text);
  }

  /** An alias stands for a model, not for another alias. */
  #resolveAlias(beginning: Beginning, target: string): ModelName {
    const meaning = new ModelNames(this.#available, { ...this.#tables, modelAliases: {} }).parse(target);
    const named = toModelName(beginning, meaning.base);
    return {
      ...named,
      upstream: meaning.upstream,
      suffixes: new Set([...named.suffixes, ...meaning.suffixes]),
      isPlatformName: meaning.isPlatformName,
    };
  }
}

/** The route of a name: an exact entry for it or for the model that it stands for, else the first pattern that matches. */
export function findRoute(
  routes: RoutingTable,
  { name, base }: ModelName,
): { upstreams: readonly string[]; isExact: boolean } | undefined {
  const exact = [name, base].find((each) => Object.hasOwn(routes, each));
  if (exact !== undefined) return { upstreams: routes[exact] ?? [], isExact: true };
  const upstreams = findByPattern(routes, name) ?? findByPattern(routes, base);
  return upstreams && { upstreams, isExact: false };
}

/** The names of a table that are no patterns. */
export function exactNames(table: Readonly<Record<string, unknown>>): string[] {
  return Object.keys(table).filter((name) => !name.includes("*"));
}

function findByPattern<T>(table: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.entries(table).find(
    ([pattern]) => pattern.includes("*") && matchesWildcard(pattern, name),
  )?.[1];
}

/** The name itself, then without its last suffix, its last two suffixes, and so on. */
function removeSuffixes(name: string): Beginning[] {
  const beginnings: Beginning[] = [];
  let text = name;
  let suffixes: readonly ModelSuffix[] = [];
  for (;;) {
    beginnings.push({ text, suffixes });
    const lowerCase = text.toLowerCase();
    const suffix = modelSuffixes.find((candidate) => lowerCase.endsWith(`-${candidate}`));
    if (!suffix) return beginnings;
    suffixes = [suffix, ...suffixes];
    text = text.slice(0, -suffix.length - 1);
  }
}

function toModelName({ text, suffixes }: Beginning, base: string): ModelName {
  return {
    spelling: [text, ...suffixes].join("-"),
    upstream: undefined,
    name: text,
    base,
    suffixes: new Set(suffixes),
    isPlatformName: false,
  };
}

/** `kimi-k2-thinking-turbo` always thinks (moonshot-platform.md A.3). */
function fromPlatformName(beginning: Beginning): ModelName {
  const text = beginning.text.toLowerCase();
  const named = toModelName({ ...beginning, text }, text.startsWith("moonshot") ? "moonshot-v1" : "kimi");
  const suffixes = text.includes("-thinking")
    ? new Set([...named.suffixes, "thinking" as const])
    : named.suffixes;
  return { ...named, suffixes, isPlatformName: true };
}
