/** Types of oidc-provider, which has none: only what the tests use. */
declare module "oidc-provider" {
  type ResourceServer = {
    scope: string;
    audience: string;
    accessTokenTTL: number;
    accessTokenFormat: "jwt";
    jwt: { sign: { alg: string } };
  };

  export class Provider {
    constructor(
      issuer: string,
      configuration: {
        clients: {
          client_id: string;
          client_secret: string;
          grant_types: string[];
          redirect_uris: [];
          response_types: [];
        }[];
        scopes: string[];
        jwks: { keys: import("jose").JWK[] };
        ttl: { ClientCredentials: number };
        features: {
          devInteractions: { enabled: false };
          clientCredentials: { enabled: true };
          resourceIndicators: {
            enabled: true;
            defaultResource(): string;
            getResourceServerInfo(): ResourceServer;
          };
        };
      },
    );
    callback(): import("node:http").RequestListener;
  }
}
