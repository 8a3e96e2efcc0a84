/** A page of a list in OpenAI's form, which Anthropic's clients read as well. */
export function listPage<T extends { id?: unknown }>(data: readonly T[], hasMore: boolean) {
  return {
    object: "list" as const,
    data,
    has_more: hasMore,
    first_id: idOf(data[0]),
    last_id: idOf(data.at(-1)),
  };
}

function idOf(entry: { id?: unknown } | undefined): string | null {
  return typeof entry?.id === "string" ? entry.id : null;
}
