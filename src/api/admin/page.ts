import { invalidParameter } from "../invalid-parameter.js";

const defaultPage = 50;
const maxPage = 500;

/** The page size of a list. Throws `invalid_request`. */
export function readPageSize(limit: string | undefined): number {
  const size = limit === undefined ? defaultPage : Number(limit);
  if (size < 1 || size > maxPage) throw invalidParameter("limit", `expected a number from 1 to ${maxPage}`);
  return size;
}

/** The number in `before`: `next` of the page before. Throws `invalid_request`. */
export function readPosition(before: string | undefined): number | undefined {
  if (before === undefined) return undefined;
  if (!/^\d{1,15}$/.test(before)) throw invalidParameter("before", "expected “next” of the page before");
  return Number(before);
}
