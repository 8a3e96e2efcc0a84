/** Addresses that Kimi is to leave alone: in code, wrapped already, or quoted as Markdown links, as citations are. */
const asItIs = /```[\s\S]*?(?:```|$)|`[^`\n]+`|<url[^<>]*>[^<]*<\/url>|\]\([^()\s]*\)/.source;
/** ASCII only: Chinese goes on right behind an address. */
const address = /\bhttps?:\/\/[\w.~:/?#[\]@!$&'()*+,;=%-]+/.source;
const pattern = new RegExp(`(${asItIs})|(${address})`, "gi");

/** The text with its addresses wrapped in the tag without which Kimi does not open them (kimi-web.md §1.4). */
export function wrapLinks(text: string): string {
  return text.replace(pattern, (found: string, left: string | undefined) => {
    if (left !== undefined) return found;
    const url = withoutPunctuation(found);
    return `<url id="" type="url" status="" title="" wc="">${url}</url>${found.slice(url.length)}`;
  });
}

/** An address does not end in what ends a sentence, nor in a bracket that opened before it. */
function withoutPunctuation(found: string): string {
  const unopened = { ")": count(found, ")") - count(found, "("), "]": count(found, "]") - count(found, "[") };
  let end = found.length;
  for (; end > 0; end--) {
    const last = found.charAt(end - 1);
    if (last === ")" || last === "]") {
      if (unopened[last] <= 0) break;
      unopened[last]--;
    } else if (!/[.,;:!?'*~]/.test(last)) break;
  }
  return found.slice(0, end);
}

function count(text: string, character: string): number {
  return text.split(character).length - 1;
}
