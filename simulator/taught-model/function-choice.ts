import { argumentRoles, type Role } from "./argument-roles.js";
import type { FunctionDescription } from "./function-list.js";

/** What a function of an agent is for. */
export type Purpose = "read" | "write" | "edit" | "run" | "finish";

/** Names of agents' functions, without separators and in lower case, the best first; and the roles that its arguments need. */
const purposes: Record<Purpose, { names: RegExp[]; roles: readonly (readonly Role[])[] }> = {
  read: {
    names: [
      /^(client|my|local)?(read|view|open|cat)(files?|text|note)?$/,
      /readfile|viewfile|openfile/,
      /^read/,
    ],
    roles: [["path"]],
  },
  write: {
    names: [
      /^(client|my|local)?(write|create|save)(files?|tofile|newfile|note)?$/,
      /writefile|writetofile|createnewfile|createfile|savefile/,
      /^editor$/,
    ],
    roles: [
      ["path", "content"],
      ["path", "after"],
    ],
  },
  edit: {
    names: [
      /^(client|my|local)?(edit|replace|strreplace|editor)(file|infile)?$/,
      /editfile|replaceinfile|findandreplace|strreplace/,
      /edit/,
    ],
    roles: [
      ["path", "before", "after"],
      ["path", "diff"],
    ],
  },
  run: {
    names: [
      /^(client|my|local)?(bash|shell|terminal|exec)$/,
      /(run|execute|exec)(shell|terminal)?commands?/,
      /bash|shell/,
    ],
    roles: [["command"]],
  },
  finish: {
    names: [/^(attemptcompletion|submitandexit|taskcomplete|finish|finaltask)$/],
    roles: [["answer"], ["content"]],
  },
};

/** The function that fits a purpose best, by its name and by the arguments it takes; undefined if there is none. */
export function chooseFunction(
  functions: ReadonlyMap<string, FunctionDescription>,
  purpose: Purpose,
): FunctionDescription | undefined {
  const { names, roles } = purposes[purpose];
  const fitting = [...functions.values()].filter(
    ({ schema }) => schema === undefined || roles.some((needed) => hasRoles(argumentRoles(schema), needed)),
  );
  for (const pattern of names) {
    const match = fitting.find(({ name }) => pattern.test(normalize(name)));
    if (match) return match;
  }
  return undefined;
}

function hasRoles(roles: ReadonlySet<Role>, needed: readonly Role[]): boolean {
  return needed.every((role) => roles.has(role));
}

/**
 * The function that is meant by a name: the same name, then one that differs in case and separators, then the only one
 * whose name contains it, since a gateway may tell a function under an alias.
 */
export function findFunction(
  functions: ReadonlyMap<string, FunctionDescription>,
  name: string,
): FunctionDescription | undefined {
  const exact = functions.get(name);
  if (exact) return exact;
  const wanted = normalize(name);
  const all = [...functions.values()];
  const same = all.filter((candidate) => normalize(candidate.name) === wanted);
  if (same.length > 0) return same[0];
  const similar = all.filter(({ name: candidate }) => normalize(candidate).includes(wanted));
  return similar.length === 1 ? similar[0] : undefined;
}

/** The function with the fewest required arguments: what a model takes if it has to call something. */
export function simplestFunction(
  functions: ReadonlyMap<string, FunctionDescription>,
): FunctionDescription | undefined {
  const required = ({ schema }: FunctionDescription) =>
    Array.isArray(schema?.required) ? schema.required.length : 0;
  return [...functions.values()].sort((a, b) => required(a) - required(b))[0];
}

function normalize(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, "");
}
