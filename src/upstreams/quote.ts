/** Words at which one-api switches a channel off for good (clients.md §0.10). */
const alarmsHubs = /credit|balance|permission denied|not allowed|not authorized|api key|欠费|到期/i;

/** Who an error is about: a service names organisations and keys in its sentences (moonshot-platform.md A.15). */
const identities = /(?:\borg-[\w-]+)?\s*<[^<>\s]{1,80}>|\b(?:org|ak|sk)-[\w-]{4,}|\bbearer\s+\S+/gi;

const longest = 300;

/** What a service says of a failure, to stand behind our own sentence; empty where it is better left out. */
export function quote(service: string, sentence: string | undefined): string {
  const said = (sentence ?? "").replace(identities, "…").replace(/\s+/g, " ").trim();
  if (said === "" || alarmsHubs.test(said)) return "";
  return ` ${service} says: “${said.length > longest ? `${said.slice(0, longest)}…` : said}”`;
}
