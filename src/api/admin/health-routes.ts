import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import type { DiagnosticsRuns } from "../../admin/diagnostics-runs.js";
import type { JournalReader } from "../../admin/journal-reader.js";
import type { LogLine } from "../../admin/log-line.js";
import type { ServerState } from "../../admin/server-state.js";
import { toGatewayError } from "../../core/errors.js";
import type { JsonObject } from "../../lib/json.js";
import { version } from "../../lib/version.js";
import { adminSchemas as schemas } from "./contract.js";
import { EventStream } from "./event-stream.js";
import { findingObject } from "./finding-object.js";
import { requestObject } from "./request-object.js";
import { isoTime } from "./schemas/field.js";

/** Requests in a support bundle. */
const bundledRequests = 200;

export type HealthContext = {
  diagnostics: DiagnosticsRuns;
  drift: () => readonly { kind: string; name: string; count: number }[];
  log: () => readonly LogLine[];
  server: () => ServerState;
  /** The configuration without what may be a secret. */
  redactedConfig: () => JsonObject;
  journal: JournalReader;
};

/** What tells whether the gateway is well, and what a bug report needs. */
export function healthRoutes(context: HealthContext): FastifyPluginAsyncTypebox {
  const { diagnostics, drift, log, server, redactedConfig, journal } = context;
  const logObjects = () => log().map(({ time, ...line }) => ({ time: isoTime(time), ...line }));
  const driftObjects = () => drift().map(({ kind, name, count }) => ({ kind, name, count }));
  return async (app) => {
    app.get("/v1/admin/server", { schema: schemas.getServer }, async () => serverObject(server()));

    app.get("/v1/admin/drift", { schema: schemas.listDrift }, async () => ({
      object: "list" as const,
      data: driftObjects(),
    }));

    app.get("/v1/admin/log", { schema: schemas.getLog }, async () => ({
      object: "list" as const,
      data: logObjects(),
    }));

    app.post("/v1/admin/diagnostics", { schema: schemas.runDiagnostics }, async (request, reply) => {
      const { offline = false, stream = false, language = "en" } = request.body;
      const findings = diagnostics.run(offline, request.stopSignal);
      const data: ReturnType<typeof findingObject>[] = [];
      if (!stream) {
        for await (const finding of findings) data.push(findingObject(finding, language));
        return { object: "list" as const, data };
      }
      // The first one is made before the status line, so that a refusal has its own status.
      const first = await findings.next();
      const events = new EventStream(reply);
      try {
        if (!first.done) events.send("finding", findingObject(first.value, language));
        for await (const finding of findings) events.send("finding", findingObject(finding, language));
        events.send("end", {});
      } catch (error) {
        request.failure = toGatewayError(error);
        events.send("error", { code: request.failure.code, message: request.failure.message });
      } finally {
        events.end();
      }
      return reply;
    });

    app.get("/v1/admin/support-bundle", { schema: schemas.getSupportBundle }, async (_request, reply) => {
      const { entries } = await journal.list({}, { limit: bundledRequests });
      const { last } = diagnostics;
      const now = isoTime(Date.now());
      const name = `moonbridge-support-${now.slice(0, 19).replaceAll(":", "-")}.json`;
      reply.header("content-disposition", `attachment; filename="${name}"`);
      return {
        created_at: now,
        server: withoutPaths(serverObject(server())),
        config: redactedConfig(),
        diagnostics: last ? { ...last, at: isoTime(last.at) } : null,
        drift: driftObjects(),
        log: logObjects(),
        requests: entries.map(requestObject),
      };
    });
  };
}

function serverObject(state: ServerState) {
  return {
    object: "server" as const,
    version,
    node: process.versions.node,
    platform: `${process.platform} ${process.arch}`,
    started_at: isoTime(state.startedAt),
    simulated: state.simulated,
    config_file: state.configFile ?? null,
    store: state.store,
    files: state.filesFolder,
    restart_needed: [...state.settingsForRestart],
    journal: { ...state.journal },
  };
}

/** The configuration has them, without the name of the person. */
function withoutPaths({
  config_file: _file,
  store: _store,
  files: _files,
  ...rest
}: ReturnType<typeof serverObject>) {
  return rest;
}
