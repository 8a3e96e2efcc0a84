/**
 * What all keys begin with. The number is the version of the layout; the braces put all keys into one slot of a cluster, so
 * that a script can touch any of them.
 */
const keyPrefix = "{moonbridge}:1:";

/** The key of a part of the store; parts that come from outside are last, since they may contain colons. */
export function redisKey(...parts: readonly [string, ...(string | number)[]]): string {
  return keyPrefix + parts.join(":");
}
