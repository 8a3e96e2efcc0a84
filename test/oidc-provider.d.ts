/** Types of oidc-provider, which has none: only what the tests use. */
declare module "oidc-provider" {
  type ResourceServer = {
    scope: string;
    audience: string;
    accessTokenTTL: number;
    accessTokenFormat: "jwt";
    jwt: { sign: { alg: string } };
  };

  type Client =
    | {
        client_id: string;
        client_secret: string;
        grant_types: string[];
        redirect_uris: [];
        response_types: [];
      }
    | {
        client_id: string;
        application_type: "native";
        token_endpoint_auth_method: "none";
        redirect_uris: [string];
      };

  interface Grant {
    addOIDCScope(scope: string): void;
    addResourceScope(resource: string, scope: string): void;
    rejectResourceScope(resource: string, scope: string): void;
    save(): Promise<string>;
  }

  type Context = {
    oidc: {
      provider: { Grant: new (fields: { clientId: string; accountId: string }) => Grant };
      client?: { clientId: string };
      session?: { accountId?: string };
    };
  };

  export class Provider {
    constructor(
      issuer: string,
      configuration: {
        clients: Client[];
        scopes: string[];
        jwks: { keys: import("jose").JWK[] };
        ttl: Record<
          "ClientCredentials" | "Grant" | "Session" | "Interaction" | "AccessToken" | "IdToken",
          number
        >;
        interactions: { url(context: Context, interaction: { uid: string }): string };
        findAccount(
          context: Context,
          accountId: string,
        ): { accountId: string; claims(): Promise<{ sub: string }> };
        loadExistingGrant(context: Context): Promise<Grant>;
        features: {
          devInteractions: { enabled: false };
          clientCredentials: { enabled: true };
          resourceIndicators: {
            enabled: true;
            defaultResource(): string;
            useGrantedResource(): boolean;
            getResourceServerInfo(): ResourceServer;
          };
        };
      },
    );
    callback(): import("node:http").RequestListener;
    /** Leads the browser of this request back, with what came of its login. */
    interactionFinished(
      request: import("node:http").IncomingMessage,
      response: import("node:http").ServerResponse,
      result: { login: { accountId: string }; consent: object } | { error: string },
    ): Promise<void>;
  }
}
