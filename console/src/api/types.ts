import type { paths } from "./schema.js";

type Answer<Operation> = Operation extends { responses: { 200: { content: infer Content } } }
  ? Content[keyof Content]
  : never;

export type Session = Answer<paths["/v1/admin/sessions/current"]["get"]>;
export type Account = Answer<paths["/v1/admin/accounts"]["get"]>["data"][number];
export type ChangedCapability = Account["capabilities"][number];
export type AccountImport = Answer<paths["/v1/admin/accounts"]["post"]>;
export type AccountQuotas = Answer<paths["/v1/admin/accounts/{id}/quota"]["get"]>;
export type ApiKey = Answer<paths["/v1/admin/keys"]["get"]>["data"][number];
export type NewApiKey = Answer<paths["/v1/admin/keys"]["post"]>;
export type NewKeyBody = paths["/v1/admin/keys"]["post"]["requestBody"]["content"]["application/json"];
export type RequestEntry = Answer<paths["/v1/admin/requests"]["get"]>["data"][number];
export type RequestTexts = NonNullable<Answer<paths["/v1/admin/requests/{id}"]["get"]>["texts"]>;
export type RequestQuery = NonNullable<paths["/v1/admin/requests"]["get"]["parameters"]["query"]>;
export type Usage = Answer<paths["/v1/admin/usage"]["get"]>;
export type UsageGroup = Usage["by"];
export type UsageHours = Answer<paths["/v1/admin/usage/hours"]["get"]>;
export type Finding = Answer<paths["/v1/admin/diagnostics"]["post"]>["data"][number];
export type LogLine = Answer<paths["/v1/admin/log"]["get"]>["data"][number];
export type AdminEvent = Answer<paths["/v1/admin/events"]["get"]>;
export type StartedRequest = Extract<AdminEvent, { type: "request.started" }>["request"];
