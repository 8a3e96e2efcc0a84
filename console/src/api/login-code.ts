/**
 * The one-time code in the address that the server printed (`#code=…`), taken out of the address at once so that it
 * stays in no history and no copied link.
 */
export function takeLoginCode(): string | undefined {
  const code = /^#code=([^&]+)/.exec(location.hash)?.[1];
  if (code === undefined) return undefined;
  history.replaceState(null, "", `${location.pathname}${location.search}#/`);
  return decodeURIComponent(code);
}
