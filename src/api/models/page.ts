import { type Static, Type } from "@sinclair/typebox";

const id = (description: string) => Type.Optional(Type.String({ maxLength: 512, description }));

/** Query parameters of `GET /v1/models` as Anthropic's SDKs send them; OpenAI's send none. */
export const ModelListQuery = Type.Object({
  limit: Type.Optional(Type.String({ maxLength: 64, description: "how many; all if it is left out" })),
  after_id: id("the id of the model to begin after"),
  before_id: id("the id of the model to end before"),
});
type ModelListQuery = Static<typeof ModelListQuery>;

/** The part of the list that the query asks for. An id that is not in the list, and a limit that is no number, are ignored. */
export function pageOf<T extends { id: string }>(
  models: readonly T[],
  { limit = "", after_id: after, before_id: before }: ModelListQuery,
): { data: readonly T[]; hasMore: boolean } {
  const from = models.findIndex((model) => model.id === after) + 1;
  const end = models.findIndex((model) => model.id === before);
  const to = end === -1 ? models.length : end;
  const size = /^[1-9]\d{0,5}$/.test(limit) ? Number(limit) : models.length;
  const isBackward = end !== -1 && after === undefined;
  const begin = isBackward ? Math.max(from, to - size) : from;
  const data = models.slice(begin, Math.min(to, begin + size));
  return { data, hasMore: isBackward ? begin > from : begin + size < to };
}
