const loopbackOrigin = /^https?:\/\/(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/i;
/** Origins of desktop apps such as Obsidian; no browser gives one to a page (clients.md §2.8). */
const desktopAppOrigin = /^(app|file|tauri|vscode-file|vscode-webview):\/\//i;

/** Whether an `origin` header comes from a page or program of the machine on which it runs, not from a website. */
export function isLocalOrigin(origin: string): boolean {
  return loopbackOrigin.test(origin) || desktopAppOrigin.test(origin);
}
