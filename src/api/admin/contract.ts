import { type TSchema, Type } from "@sinclair/typebox";
import * as account from "./schemas/account.js";
import * as conversation from "./schemas/conversation.js";
import * as diagnostics from "./schemas/diagnostics.js";
import { AdminEvent, ServerAnswer } from "./schemas/event.js";
import * as key from "./schemas/key.js";
import * as request from "./schemas/request.js";
import * as session from "./schemas/session.js";
import * as usage from "./schemas/usage.js";

const admin = { tags: ["admin"], security: [{ key: [] }, { session: [] }, { oauth: ["admin"] }] };

function streamOf<Schema extends TSchema>(contentType: string, description: string, schema: Schema) {
  return { description, content: { [contentType]: { schema } } };
}

/** The schemas of `/v1/admin/*`: what is validated, what is answered, and what `/openapi.json` says of both. */
export const adminSchemas = {
  createSession: {
    ...{ ...admin, security: [] },
    summary: "Log in: trade the start's code, or an admin key, for a session cookie",
    description: "The cookie is HttpOnly and SameSite=Strict; a session before it ends.",
    body: session.NewSession,
    response: { 200: session.SessionAnswer },
  },
  getLogin: {
    ...{ ...admin, security: [] },
    summary: "How people can log in to the console",
    description: "By an issuer a browser begins at /v1/admin/login/issuer, which leads there.",
    response: { 200: session.LoginAnswer },
  },
  // Addresses for browsers, which answer with nothing but redirections.
  beginLogin: { hide: true },
  finishLogin: { hide: true, querystring: session.IssuerAnswerQuery },
  getSession: { ...admin, summary: "The session of the cookie", response: { 200: session.SessionAnswer } },
  deleteSession: { ...admin, summary: "Log out", response: { 200: session.EndedSessions } },
  deleteSessions: { ...admin, summary: "End all sessions", response: { 200: session.EndedSessions } },

  getServer: {
    ...admin,
    summary: "Version, files, settings of the journal",
    response: { 200: ServerAnswer },
  },
  streamEvents: {
    ...admin,
    summary: "What happens now, as server-sent events",
    description: "Requests as they start and end, accounts as their state changes, new protocol drift.",
    response: { 200: streamOf("text/event-stream", "Events", AdminEvent) },
  },

  listAccounts: { ...admin, summary: "The accounts", response: { 200: account.AccountListAnswer } },
  importAccount: {
    ...admin,
    summary: "Connect an account by pasted tokens or a HAR file",
    description: "Takes effect at once. Of an account with this name the login is replaced.",
    body: account.AccountImportBody,
    response: { 200: account.AccountImportAnswer },
  },
  getQuota: {
    ...admin,
    summary: "What an account has used of its quotas",
    params: account.AccountParams,
    response: { 200: account.AccountQuotaAnswer },
  },
  checkAccount: {
    ...admin,
    summary: "Check an account, with a short chat",
    params: account.AccountParams,
    querystring: account.AccountCheckQuery,
    response: { 200: account.AccountCheckAnswer },
  },
  renameAccount: {
    ...admin,
    summary: "Give an account another name",
    description: "Only one from a login, and while it answers nothing. Its chats go on.",
    params: account.AccountParams,
    querystring: account.AccountCheckQuery,
    body: account.AccountRenameBody,
    response: { 200: account.RenamedAccountAnswer },
  },
  deleteAccount: {
    ...admin,
    summary: "Remove the stored login of an account",
    params: account.AccountParams,
    querystring: account.AccountRemovalQuery,
    response: { 200: account.RemovedAccountAnswer },
  },

  listKeys: { ...admin, summary: "The API keys", response: { 200: key.KeyListAnswer } },
  createKey: {
    ...admin,
    summary: "Make an API key",
    body: key.NewKeyBody,
    response: { 200: key.NewKeyAnswer },
  },
  updateKey: {
    ...admin,
    summary: "Change what an API key may do",
    params: key.KeyParams,
    body: key.KeyChangeBody,
    response: { 200: key.KeyAnswer },
  },
  deleteKey: {
    ...admin,
    summary: "Revoke an API key, and the tokens issued for it",
    params: key.KeyParams,
    response: { 200: key.DeletedKeyAnswer },
  },

  listRequests: {
    ...admin,
    summary: "The journal of requests",
    querystring: request.RequestListQuery,
    response: { 200: request.RequestListAnswer },
  },
  getRequest: {
    ...admin,
    summary: "One request of the journal",
    params: request.RequestParams,
    response: { 200: request.RequestDetailAnswer },
  },
  getUsage: {
    ...admin,
    summary: "Requests, errors and tokens a day, by key, model, account or outcome",
    querystring: usage.UsageQuery,
    response: { 200: usage.UsageAnswer },
  },
  getUsageCsv: {
    ...admin,
    summary: "The same as CSV",
    querystring: usage.UsageQuery,
    response: { 200: streamOf("text/csv", "One line for each day and name", Type.String()) },
  },
  getUsageHours: { ...admin, summary: "Usage by hour", response: { 200: usage.UsageHoursAnswer } },

  listConversations: {
    ...admin,
    summary: "The chats that Moonbridge made",
    querystring: conversation.ConversationListQuery,
    response: { 200: conversation.ConversationListAnswer },
  },
  deleteConversation: {
    ...admin,
    summary: "Delete such a chat at Kimi",
    params: conversation.ConversationParams,
    response: { 200: conversation.DeletedConversationAnswer },
  },

  runDiagnostics: {
    ...admin,
    summary: "Run the checks of moonbridge doctor",
    body: diagnostics.DiagnosticsBody,
    response: { 200: diagnostics.DiagnosticsAnswer },
  },
  listDrift: {
    ...admin,
    summary: "What Kimi sent that Moonbridge does not know",
    response: { 200: diagnostics.DriftAnswer },
  },
  getLog: { ...admin, summary: "The end of the log", response: { 200: diagnostics.LogAnswer } },
  getSupportBundle: {
    ...admin,
    summary: "Everything that a bug report needs, without secrets and texts",
    response: { 200: diagnostics.SupportBundleAnswer },
  },
} as const;
