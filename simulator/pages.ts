import { ApiError } from "./errors.js";
import { asString, getField, type JsonObject } from "./json.js";

/** One page of 50 items, or `page_size` up to 200; the page token is the index of the next item. */
export function paginate<T>(
  items: readonly T[],
  body: JsonObject,
): { items: readonly T[]; next: JsonObject } {
  const pageSize = Number(getField(body, "page_size") ?? 0);
  const limit = Number.isInteger(pageSize) && pageSize > 0 ? Math.min(pageSize, 200) : 50;
  const start = Number(asString(getField(body, "page_token")) || 0);
  if (!Number.isInteger(start) || start < 0)
    throw new ApiError({ code: "invalid_argument" }, "bad page_token");
  const end = start + limit;
  return { items: items.slice(start, end), next: end < items.length ? { nextPageToken: String(end) } : {} };
}
