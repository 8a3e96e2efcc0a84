/**
 * The name by which the model knows a tool of a namespace: Codex offers such tools, and its own namespaces may end with the
 * underscores already (clients.md §4.2).
 */
export function flatName(name: string, namespace: string | undefined): string {
  if (namespace === undefined) return name;
  return namespace.endsWith("__") ? `${namespace}${name}` : `${namespace}__${name}`;
}

/** The only argument of a custom tool, which takes a text instead of JSON. */
export const customInput = "input";

/** The arguments of a call of a custom tool. */
export function customArguments(input: string): string {
  return JSON.stringify({ [customInput]: input });
}
