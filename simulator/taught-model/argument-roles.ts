import { asArray, asObject, asString, type JsonObject } from "../json.js";

/** What an argument of an agent's function is for. */
export type Role = "path" | "content" | "before" | "after" | "diff" | "command" | "answer";

/** The values for the roles, as far as a task has them. */
export type RoleValues = Partial<Record<Role, string>>;

const roleNames: Record<Role, RegExp> = {
  path: /^(path|paths|filepaths?|absolutepath|filename|files?|targetfile|uri)$/,
  content: /^(contents?|text|filetext|filecontents?|body|data)$/,
  before: /^(old|oldstr|oldstring|oldtext|search|find|before)$/,
  after: /^(new|newstr|newstring|newtext|replace|replacement|after)$/,
  diff: /^(diff|patch|changes)$/,
  command: /^(command|commands|cmd|commandline|script)$/,
  answer: /^(result|answer|summary|response|message)$/,
};

/** The roles of all arguments of a function, nested ones included. */
export function argumentRoles(schema: JsonObject): ReadonlySet<Role> {
  const roles = new Set<Role>();
  collectRoles(schema, schema, roles, 0);
  return roles;
}

function collectRoles(schema: JsonObject, root: JsonObject, roles: Set<Role>, depth: number): void {
  for (const [name, property] of Object.entries(asObject(schema.properties) ?? {})) {
    const role = findRole(name);
    if (role) roles.add(role);
    const resolved = resolveSchema(property, root);
    const nested = asObject(resolved.items) ? resolveSchema(resolved.items, root) : resolved;
    if (depth < 4) collectRoles(nested, root, roles, depth + 1);
  }
}

function findRole(name: string): Role | undefined {
  const normalized = name.toLowerCase().replace(/[^a-z]/g, "");
  for (const [role, pattern] of Object.entries(roleNames)) {
    if (pattern.test(normalized) && isRole(role)) return role;
  }
  return undefined;
}

function isRole(name: string): name is Role {
  return name in roleNames;
}

/** Fills the arguments of a function by its schema: those that have a role with a value, and all that are required. */
export function fillArguments(schema: JsonObject | undefined, values: RoleValues): JsonObject {
  if (!schema) return Object.fromEntries(Object.entries(values));
  return fillObject(schema, schema, values);
}

function fillObject(schema: JsonObject, root: JsonObject, values: RoleValues): JsonObject {
  const required = asArray(schema.required);
  const filled: JsonObject = {};
  for (const [name, property] of Object.entries(asObject(schema.properties) ?? {})) {
    const role = findRole(name);
    const value = role ? values[role] : undefined;
    const resolved = resolveSchema(property, root);
    if (value !== undefined || required.includes(name))
      filled[name] = fillValue(name, resolved, root, values, value);
  }
  return filled;
}

function fillValue(
  name: string,
  schema: JsonObject,
  root: JsonObject,
  values: RoleValues,
  value: string | undefined,
): unknown {
  const [first] = asArray(schema.enum);
  if (value === undefined && schema.default !== undefined) return schema.default;
  if (first !== undefined) return first;
  if (schema.const !== undefined) return schema.const;
  switch (typeOf(schema)) {
    case "array": {
      const items = resolveSchema(schema.items, root);
      return value === undefined && asObject(items.properties) === undefined
        ? []
        : [fillValue(name, items, root, values, value)];
    }
    case "object":
      return fillObject(schema, root, values);
    case "integer":
    case "number":
      return defaultNumber(name, schema);
    case "boolean":
      return name === "verified";
    case "null":
      return null;
    default:
      return value ?? "A step of the task.";
  }
}

/** A number within the bounds; a minute for a timeout, in seconds or in milliseconds. */
function defaultNumber(name: string, { minimum, maximum, description }: JsonObject): number {
  const least = typeof minimum === "number" ? minimum : 1;
  if (!/timeout/i.test(name)) return least;
  const minute = /millisecond|\bms\b/i.test(asString(description) ?? "") ? 60_000 : 60;
  return Math.min(typeof maximum === "number" ? maximum : minute, Math.max(least, minute));
}

function typeOf({ type, properties }: JsonObject): string {
  if (Array.isArray(type)) return type.map(String).find((name) => name !== "null") ?? "null";
  return asString(type) ?? (properties === undefined ? "string" : "object");
}

/** Follows a reference into the same schema, and takes the first alternative that is not null, strings first. */
function resolveSchema(value: unknown, root: JsonObject): JsonObject {
  const schema = asObject(value) ?? {};
  const reference = asString(schema.$ref);
  if (reference?.startsWith("#/")) {
    let target: unknown = root;
    for (const key of reference.slice(2).split("/")) target = asObject(target)?.[key];
    return target === undefined ? {} : resolveSchema(target, root);
  }
  const alternatives = [...asArray(schema.anyOf), ...asArray(schema.oneOf)].map((item) =>
    resolveSchema(item, root),
  );
  if (alternatives.length === 0) return schema;
  const chosen =
    alternatives.find((item) => typeOf(item) === "string") ??
    alternatives.find((item) => typeOf(item) !== "null");
  return { ...schema, ...chosen, anyOf: undefined, oneOf: undefined };
}
