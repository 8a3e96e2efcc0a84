import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import { dayRange, type JournalReader } from "../../admin/journal-reader.js";
import type { JournalFilter, UsageCounts } from "../../core/journal.js";
import { invalidParameter } from "../invalid-parameter.js";
import { adminSchemas as schemas } from "./contract.js";
import { readPageSize, readPosition } from "./page.js";
import { requestDetailObject, requestObject } from "./request-object.js";
import { isoTime } from "./schemas/field.js";

/** `/v1/admin/requests` and `/v1/admin/usage`: what was asked, by whom, and how it ended. */
export function journalRoutes(journal: JournalReader): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get("/v1/admin/requests", { schema: schemas.listRequests }, async ({ query }) => {
      const { limit, before, since, until, error_code: failure, ...equal } = query;
      const filter: JournalFilter = {
        ...equal,
        failure,
        since: readTime("since", since),
        until: readTime("until", until),
      };
      const position = { limit: readPageSize(limit), before: readPosition(before) };
      const { entries, next } = await journal.list(filter, position);
      return {
        object: "list" as const,
        data: entries.map(requestObject),
        next: next === undefined ? null : String(next),
      };
    });

    app.get("/v1/admin/requests/:id", { schema: schemas.getRequest }, async ({ params }) =>
      requestDetailObject(await journal.find(params.id)),
    );

    app.get("/v1/admin/usage", { schema: schemas.getUsage }, async ({ query }) => {
      const { by = "key" } = query;
      const range = dayRange(query.from, query.to);
      const sums = await journal.dailyUsage(by, range);
      const data = sums.map(({ day, name, ...counts }) => ({ day, name, ...countsObject(counts) }));
      return { object: "list" as const, by, ...range, data };
    });

    app.get("/v1/admin/usage.csv", { schema: schemas.getUsageCsv }, async ({ query }, reply) => {
      const { by = "key" } = query;
      const range = dayRange(query.from, query.to);
      const sums = await journal.dailyUsage(by, range);
      const columns = ["requests", "errors", "cancelled", "input_tokens", "cached_tokens", "output_tokens"];
      const lines = sums.map(({ day, name, ...counts }) =>
        [day, csvField(name), ...Object.values(countsObject(counts))].join(","),
      );
      const name = `moonbridge-usage-${by}-${range.from}-${range.to}.csv`;
      return reply
        .type("text/csv; charset=utf-8")
        .header("content-disposition", `attachment; filename="${name}"`)
        .send(`${[["day", by, ...columns].join(","), ...lines].join("\r\n")}\r\n`);
    });

    app.get("/v1/admin/usage/hours", { schema: schemas.getUsageHours }, async () => {
      const data = (await journal.hourlyUsage()).map(({ hour, firstOutput, ...counts }) => ({
        hour: isoTime(hour),
        ...countsObject(counts),
        first_output_ms: firstOutput === undefined ? null : Math.round(firstOutput),
      }));
      return { object: "list" as const, data };
    });
  };
}

function countsObject({ requests, failed, cancelled, ...tokens }: UsageCounts) {
  return {
    requests,
    errors: failed,
    cancelled,
    input_tokens: tokens.inputTokens,
    cached_tokens: tokens.cachedTokens,
    output_tokens: tokens.outputTokens,
  };
}

/** Quoted as RFC 4180 says; a leading apostrophe keeps spreadsheets from taking the text for a formula. */
function csvField(text: string): string {
  const plain = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return `"${plain.replaceAll('"', '""')}"`;
}

/** A time of ISO 8601, or the beginning of a day in the server's time zone. Throws `invalid_request`. */
function readTime(param: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const time = Date.parse(/^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00` : text);
  if (Number.isNaN(time))
    throw invalidParameter(
      param,
      "expected a day such as 2026-12-31, or a time such as 2026-12-31T18:00:00Z",
    );
  return time;
}
