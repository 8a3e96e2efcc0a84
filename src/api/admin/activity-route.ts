import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import type { Static } from "@sinclair/typebox";
import type { AccountAdmin } from "../../admin/account-admin.js";
import type { Activity, ActivityEvent } from "../../admin/activity.js";
import { GatewayError } from "../../core/errors.js";
import { limits } from "../../core/limits.js";
import { accountObject } from "./account-object.js";
import { adminSchemas as schemas } from "./contract.js";
import { EventStream } from "./event-stream.js";
import { requestObject } from "./request-object.js";
import type { AdminEvent } from "./schemas/event.js";
import { isoTime } from "./schemas/field.js";

/** `GET /v1/admin/events`: what happens, as it happens. */
export function activityRoute(activity: Activity, accounts: AccountAdmin): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get("/v1/admin/events", { schema: schemas.streamEvents }, async (request, reply) => {
      let stream: EventStream | undefined;
      const send = (event: Static<typeof AdminEvent>) => stream?.send(event.type, event);
      const unsubscribe = activity.subscribe((event) => send(eventObject(event)));
      if (!unsubscribe) {
        throw new GatewayError(
          "server_busy",
          "Too many clients watch already. Close other windows of the console.",
          {
            retryAfterSeconds: 10,
          },
        );
      }
      stream = new EventStream(reply);
      let before = "";
      const sendAccounts = () => {
        const list = accounts.list().map(accountObject);
        const now = JSON.stringify(list);
        if (now !== before) send({ type: "accounts", accounts: list });
        before = now;
      };
      sendAccounts();
      const timer = setInterval(sendAccounts, limits.activityAccounts);
      await new Promise<void>((resolve) => {
        request.stopSignal.addEventListener("abort", () => resolve(), { once: true });
        reply.raw.once("close", resolve);
        if (request.stopSignal.aborted || reply.raw.destroyed) resolve();
      });
      clearInterval(timer);
      unsubscribe();
      stream.end();
      return reply;
    });
  };
}

function eventObject(event: ActivityEvent): Static<typeof AdminEvent> {
  switch (event.type) {
    case "request-started": {
      const { id, startedAt, method, route, dialect, key } = event.request;
      const started = { id, started_at: isoTime(startedAt), method, route };
      return {
        type: "request.started",
        request: { ...started, dialect: dialect ?? null, key: key ?? null },
      };
    }
    case "request-ended":
      return { type: "request.ended", request: requestObject(event.entry) };
    case "drift":
      return { type: "drift", drift: { ...event.drift } };
  }
}
