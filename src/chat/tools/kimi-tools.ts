/** The tools of Kimi's own agent (kimi-web.md §2.4, §6 row 22), and of its cloud sandbox. */
export const kimiTools: readonly string[] = [
  "web_search",
  "web_open_url",
  "ipython",
  "shell",
  "read_file",
  "write_file",
  "edit_file",
  "show_widget",
  "ask_user",
];
/** Beginnings of further ones. */
export const kimiToolGroups: readonly string[] = ["memory_", "search_image_", "get_data_source", "browser_"];

/** Whether Kimi's own agent has a tool of this name, in any case. */
export function isKimiTool(name: string): boolean {
  const lower = name.toLowerCase();
  return kimiTools.includes(lower) || kimiToolGroups.some((group) => lower.startsWith(group));
}
