import type { JsonObject } from "../../lib/json.js";
import { invalidParameter } from "../invalid-parameter.js";
import { listPage } from "../list-page.js";
import type { InputItemsQuery } from "./schema.js";

const maxLimit = 100;
const defaultLimit = 20;

/** A page of the items of a request, in the form of OpenAI's lists. Throws `invalid_request`. */
export function inputItemsPage(items: readonly JsonObject[], query: InputItemsQuery): object {
  const limit = query.limit === undefined ? defaultLimit : Number(query.limit);
  if (!Number.isInteger(limit) || limit < 1 || limit > maxLimit)
    throw invalidParameter("limit", `expected a whole number from 1 to ${maxLimit}`);
  const { order = "desc", after } = query;
  if (order !== "asc" && order !== "desc") throw invalidParameter("order", "expected asc or desc");
  const ordered = order === "asc" ? items : items.toReversed();
  const start = after === undefined ? 0 : ordered.findIndex(({ id }) => id === after) + 1;
  if (after !== undefined && start === 0) throw invalidParameter("after", "there is no item of this id");
  return listPage(ordered.slice(start, start + limit), start + limit < ordered.length);
}
