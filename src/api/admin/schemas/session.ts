import { Type } from "@sinclair/typebox";
import { scopes } from "../../../core/types.js";
import { answerObject, oneOf, Time } from "./field.js";

/** A login: either the one-time code of the greeting, or an API key or token with the scope `admin`. */
export const NewSession = Type.Object(
  {
    code: Type.Optional(
      Type.String({ maxLength: 200, description: "The code of the address that the start printed" }),
    ),
    key: Type.Optional(
      Type.String({
        maxLength: 16_384,
        description: "An API key with the scope admin, or a token of the configured issuer",
      }),
    ),
  },
  { additionalProperties: false },
);

export const SessionAnswer = answerObject(
  "Session",
  {
    object: oneOf(["admin.session"]),
    key: Type.String({ description: "The key that it acts as; `web console` after a login with a code" }),
    scopes: Type.Array(oneOf(scopes)),
    created_at: Time,
    expires_at: Time,
  },
  "The session of the cookie",
);

export const EndedSessions = answerObject("Ended sessions", {
  object: oneOf(["admin.session"]),
  deleted: Type.Number({ description: "How many sessions have ended" }),
});

export const LoginAnswer = answerObject("Ways to log in", {
  object: oneOf(["admin.login"]),
  issuer: Type.Unsafe<string | null>({
    type: ["string", "null"],
    description: "The issuer by which people can log in to the console, besides a code and an admin key",
  }),
});

/** What the issuer adds to the address that it leads back to. */
export const IssuerAnswerQuery = Type.Object({
  code: Type.Optional(Type.String({ maxLength: 4_096 })),
  state: Type.Optional(Type.String({ maxLength: 200 })),
  iss: Type.Optional(Type.String({ maxLength: 1_024 })),
  error: Type.Optional(Type.String({ maxLength: 200 })),
});
