import { limits } from "../../core/limits.js";

/** Spans whose URLs are not wrapped: code, wrapped URLs, and Markdown links such as citations. */
const excludedSpans = /```[\s\S]*?(?:```|$)|`[^`\n]+`|<url[^<>]*>[^<]*<\/url>|\]\([^()\s]*\)/.source;
/** ASCII only: Chinese text may follow a URL without a space. */
const urlPattern = /\bhttps?:\/\/[\w.~:/?#[\]@!$&'()*+,;=%-]+/.source;
const excludedOrUrl = new RegExp(`(${excludedSpans})|(${urlPattern})`, "gi");

/**
 * Wraps the URLs of a text in the tag without which Kimi does not open them (kimi-web.md §1.4): the last
 * `limits.wrappedLinks`, since each tag makes the prompt longer.
 */
export function wrapLinks(text: string): string {
  let left = countLinks(text);
  return text.replace(excludedOrUrl, (match: string, excluded: string | undefined) => {
    if (excluded !== undefined || left-- > limits.wrappedLinks) return match;
    const url = trimPunctuation(match);
    return `<url id="" type="url" status="" title="" wc="">${url}</url>${match.slice(url.length)}`;
  });
}

function countLinks(text: string): number {
  let links = 0;
  for (const [, excluded] of text.matchAll(excludedOrUrl)) if (excluded === undefined) links++;
  return links;
}

/** The URL without trailing punctuation and without closing brackets that have no opening one in it. */
function trimPunctuation(url: string): string {
  const unbalanced = { ")": count(url, ")") - count(url, "("), "]": count(url, "]") - count(url, "[") };
  let end = url.length;
  for (; end > 0; end--) {
    const last = url.charAt(end - 1);
    if (last === ")" || last === "]") {
      if (unbalanced[last] <= 0) break;
      unbalanced[last]--;
    } else if (!/[.,;:!?'*~]/.test(last)) break;
  }
  return url.slice(0, end);
}

function count(text: string, character: string): number {
  return text.split(character).length - 1;
}
