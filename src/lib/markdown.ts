/** Characters of a title in a link. */
const maxTitleLength = 300;

/** A Markdown link of untrusted parts; only its title without an http(s) address. */
export function markdownLink(title: string, url: string | undefined): string {
  const text = escapeTitle(title);
  return url !== undefined && isHttpUrl(url) ? `[${text}](${escapeUrl(url)})` : text;
}

/** A Markdown code block, whatever is in it. */
export function markdownCode(code: string): string {
  const longest = Math.max(2, ...Array.from(code.matchAll(/`{3,}/g), ([run]) => run.length));
  const fence = "`".repeat(longest + 1);
  return `${fence}\n${code}${code.endsWith("\n") ? "" : "\n"}${fence}`;
}

/** Untrusted text: it must stay inside the brackets of a Markdown link. */
export function escapeTitle(title: string): string {
  return title
    .replace(/\s+/g, " ")
    .replace(/[\\[\]<>`*_!|#]/g, "\\$&")
    .slice(0, maxTitleLength);
}

/** Only http(s) addresses are linked; characters that could close the parenthesis are percent-encoded. */
export function escapeUrl(url: string): string {
  if (!isHttpUrl(url)) return "#";
  return url.replace(
    /[\s()<>"'`\\[\]]/g,
    (character) => `%${character.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
}

function isHttpUrl(url: string): boolean {
  return /^https?:\/\//i.test(url);
}
