import { type Static, Type } from "@sinclair/typebox";
import { documented, oneOf, strict } from "./field-schemas.js";

/** Asymmetric algorithms only: no shared secrets. */
const signatureAlgorithms = [
  ...(["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"] as const),
  ...(["ES256", "ES384", "ES512", "EdDSA", "Ed25519"] as const),
];

/** The OpenID provider whose access tokens are accepted besides API keys. */
export const OAuthSchema = Type.Object(
  {
    issuer: documented(
      "The OpenID provider, exactly as in its tokens",
      "身份提供方，与其令牌中的写法完全一致",
      Type.String({
        pattern: "^(https://[^\\s/?#]+|http://(localhost|127\\.0\\.0\\.1|\\[::1\\])(:\\d+)?)(/[^\\s?#]*)?$",
        description: "an https address; http only on this machine",
      }),
    ),
    audience: documented(
      "What the `aud` of its tokens must contain",
      "令牌的 `aud` 中必须有的值",
      Type.String({ minLength: 1, maxLength: 512, description: "the audience of its tokens" }),
    ),
    scope: documented(
      "The scopes that a token must have",
      "令牌必须具有的 scope",
      Type.Optional(
        Type.String({ minLength: 1, maxLength: 512, description: "the scopes that a token must have" }),
      ),
    ),
    adminScope: documented(
      "The scope that stands for `admin`",
      "代表 `admin` 权限的 scope",
      Type.String({
        pattern: "^\\S{1,200}$",
        default: "moonbridge:admin",
        description: "the scope that stands for admin",
      }),
    ),
    consoleClientId: documented(
      "The client id under which the issuer knows the [console](configuration.md#log-in-to-the-console); without it the console has no login by the issuer",
      "签发者为[控制台](configuration.zh-CN.md#登录控制台)登记的客户端 id；没有它，控制台就没有通过签发者的登录",
      Type.Optional(Type.String({ minLength: 1, maxLength: 512, description: "the console's client id" })),
    ),
    algorithms: documented(
      "The signature algorithms that are accepted",
      "接受的签名算法",
      Type.Array(oneOf(signatureAlgorithms, { description: signatureAlgorithms.join(", ") }), {
        minItems: 1,
        default: signatureAlgorithms,
        description: `a list of ${signatureAlgorithms.join(", ")}`,
      }),
    ),
  },
  strict,
);

export type OAuthConfig = Static<typeof OAuthSchema>;
