/** Whether a text matches a pattern in which `*` stands for any characters, also none. Letter case does not matter. */
export function matchesWildcard(pattern: string, text: string): boolean {
  const [first = "", ...others] = pattern.toLowerCase().split("*");
  const rest = text.toLowerCase();
  const last = others.pop();
  if (last === undefined) return rest === first;
  if (!rest.startsWith(first)) return false;
  let position = first.length;
  for (const part of others) {
    const found = rest.indexOf(part, position);
    if (found === -1) return false;
    position = found + part.length;
  }
  return rest.length - last.length >= position && rest.endsWith(last);
}
