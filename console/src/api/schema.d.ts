// Written by test/console/api-schema.test.ts from /openapi.json.
export interface paths {
    "/v1/models": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The models, aliases and their variants */
        get: {
            parameters: {
                query?: {
                    /** @description how many; all if it is left out */
                    limit?: string;
                    /** @description the id of the model to begin after */
                    after_id?: string;
                    /** @description the id of the model to end before */
                    before_id?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Models */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            /** @enum {unknown} */
                            object?: "list";
                            data?: {
                                id?: string;
                                /** @enum {unknown} */
                                object?: "model";
                                created?: number;
                                owned_by?: string;
                                name?: string;
                                context_length?: number;
                            }[];
                        };
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/admin/requests": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The journal of requests */
        get: {
            parameters: {
                query?: {
                    /** @description a number from 1 to 500 */
                    limit?: string;
                    /** @description `next` of the page before */
                    before?: string;
                    key?: string;
                    model?: string;
                    upstream?: string;
                    dialect?: string;
                    outcome?: "ok" | "failed" | "cancelled";
                    error_code?: string;
                    /** @description A day or a time, ISO 8601 */
                    since?: string;
                    /** @description A day or a time, ISO 8601 */
                    until?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Requests */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            /** @enum {string} */
                            object: "list";
                            /** @description The newest first */
                            data: {
                                /** @description The request's id, as in the header x-request-id */
                                id: string;
                                /** @enum {string} */
                                object: "request";
                                /** Format: date-time */
                                started_at: string;
                                /** Format: date-time */
                                ended_at: string;
                                method: string;
                                route: string;
                                dialect: string | null;
                                key: string | null;
                                status: number;
                                /** @enum {string} */
                                outcome: "ok" | "failed" | "cancelled";
                                error_code: string | null;
                                upstream_code: string | null;
                                upstream: string | null;
                                model: string | null;
                                /** @enum {unknown} */
                                chat: "new" | "continued" | null;
                                /** @description How often an upstream was tried */
                                attempts: number;
                                duration_ms: number;
                                waited_ms: number | null;
                                first_output_ms: number | null;
                                finish: string | null;
                                input_tokens: number | null;
                                cached_tokens: number | null;
                                output_tokens: number | null;
                                reasoning_tokens: number | null;
                                /** @description The tokens were not counted by the model's own tokenizer */
                                estimated: boolean;
                                /** @description Parameters that the upstream ignored */
                                ignored: string[];
                                trace_id: string | null;
                            }[];
                            next: string | null;
                        };
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/admin/requests/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One request of the journal */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Request */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            /** @description The request's id, as in the header x-request-id */
                            id: string;
                            /** @enum {string} */
                            object: "request";
                            /** Format: date-time */
                            started_at: string;
                            /** Format: date-time */
                            ended_at: string;
                            method: string;
                            route: string;
                            dialect: string | null;
                            key: string | null;
                            status: number;
                            /** @enum {string} */
                            outcome: "ok" | "failed" | "cancelled";
                            error_code: string | null;
                            upstream_code: string | null;
                            upstream: string | null;
                            model: string | null;
                            /** @enum {unknown} */
                            chat: "new" | "continued" | null;
                            /** @description How often an upstream was tried */
                            attempts: number;
                            duration_ms: number;
                            waited_ms: number | null;
                            first_output_ms: number | null;
                            finish: string | null;
                            input_tokens: number | null;
                            cached_tokens: number | null;
                            output_tokens: number | null;
                            reasoning_tokens: number | null;
                            /** @description The tokens were not counted by the model's own tokenizer */
                            estimated: boolean;
                            /** @description Parameters that the upstream ignored */
                            ignored: string[];
                            trace_id: string | null;
                        };
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/admin/usage": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Requests, errors and tokens a day, by key, model, account or outcome */
        get: {
            parameters: {
                query?: {
                    /** @description By default key */
                    by?: "key" | "model" | "account" | "outcome";
                    /** @description A day, such as 2026-12-31 */
                    from?: string;
                    /** @description A day, such as 2026-12-31 */
                    to?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Usage */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            /** @enum {string} */
                            object: "list";
                            /** @enum {string} */
                            by: "key" | "model" | "account" | "outcome";
                            /** @description The first day; by default 29 days ago, in the server's time zone */
                            from: string;
                            /** @description The last day; by default today */
                            to: string;
                            data: {
                                day: string;
                                /** @description The key, model or account; empty where a request had none */
                                name: string;
                                requests: number;
                                /** @description Requests that failed; cancelled ones are none */
                                errors: number;
                                cancelled: number;
                                input_tokens: number;
                                cached_tokens: number;
                                output_tokens: number;
                            }[];
                        };
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/admin/usage.csv": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The same as CSV */
        get: {
            parameters: {
                query?: {
                    /** @description By default key */
                    by?: "key" | "model" | "account" | "outcome";
                    /** @description A day, such as 2026-12-31 */
                    from?: string;
                    /** @description A day, such as 2026-12-31 */
                    to?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description One line for each day and name */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/csv": string;
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/admin/usage/hours": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Usage by hour */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The last 24 hours; hours without requests are left out */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            /** @enum {string} */
                            object: "list";
                            data: {
                                /** Format: date-time */
                                hour: string;
                                requests: number;
                                /** @description Requests that failed; cancelled ones are none */
                                errors: number;
                                cancelled: number;
                                input_tokens: number;
                                cached_tokens: number;
                                output_tokens: number;
                                first_output_ms: number | null;
                            }[];
                        };
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/admin/sessions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Log in: trade the start's code, or an admin key, for a session cookie
         * @description The cookie is HttpOnly and SameSite=Strict; a session before it ends.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        /** @description The code of the address that the start printed */
                        code?: string;
                        /** @description An API key with the scope admin, or a token of the configured issuer */
                        key?: string;
                    };
                };
            };
            responses: {
                /** @description The session of the cookie */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            /** @enum {string} */
                            object: "admin.session";
                            /** @description The key that it acts as; `console` after a login with a code */
                            key: string;
                            scopes: ("chat" | "admin")[];
                            /** Format: date-time */
                            created_at: string;
                            /** Format: date-time */
                            expires_at: string;
                        };
                    };
                };
            };
        };
        /** End all sessions */
        delete: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Ended sessions */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            /** @enum {string} */
                            object: "admin.session";
                            /** @description How many sessions have ended */
                            deleted: number;
                        };
                    };
                };
            };
        };
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/admin/sessions/current": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The session of the cookie */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The session of the cookie */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            /** @enum {string} */
                            object: "admin.session";
                            /** @description The key that it acts as; `console` after a login with a code */
                            key: string;
                            scopes: ("chat" | "admin")[];
                            /** Format: date-time */
                            created_at: string;
                            /** Format: date-time */
                            expires_at: string;
                        };
                    };
                };
            };
        };
        put?: never;
        post?: never;
        /** Log out */
        delete: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Ended sessions */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            /** @enum {string} */
                            object: "admin.session";
                            /** @description How many sessions have ended */
                            deleted: number;
                        };
                    };
                };
            };
        };
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/admin/server": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Version, files, settings of the journal */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description This Moonbridge */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            /** @enum {string} */
                            object: "server";
                            version: string;
                            node: string;
                            platform: string;
                            /** Format: date-time */
                            started_at: string;
                            /** @description Nothing but the simulator answers */
                            simulated: boolean;
                            config_file: string | null;
                            store: string;
                            files: string;
                            running_requests: number;
                            /**
                             * Journal
                             * @description Journal
                             */
                            journal: {
                                days: number;
                                rows: number;
                                /** @description Requests that could not be written since the start */
                                lost: number;
                                /** @description Whether prompts and answers are kept */
                                texts: boolean;
                            };
                        };
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/admin/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What happens now, as server-sent events
         * @description Requests as they start and end, accounts as their state changes, new protocol drift.
         */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Events */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/event-stream": {
                            /** @enum {string} */
                            type: "request.started";
                            /**
                             * Started request
                             * @description Started request
                             */
                            request: {
                                id: string;
                                /** Format: date-time */
                                started_at: string;
                                method: string;
                                route: string;
                                dialect: string | null;
                                key: string | null;
                            };
                        } | {
                            /** @enum {string} */
                            type: "request.ended";
                            /**
                             * Request
                             * @description Request
                             */
                            request: {
                                /** @description The request's id, as in the header x-request-id */
                                id: string;
                                /** @enum {string} */
                                object: "request";
                                /** Format: date-time */
                                started_at: string;
                                /** Format: date-time */
                                ended_at: string;
                                method: string;
                                route: string;
                                dialect: string | null;
                                key: string | null;
                                status: number;
                                /** @enum {string} */
                                outcome: "ok" | "failed" | "cancelled";
                                error_code: string | null;
                                upstream_code: string | null;
                                upstream: string | null;
                                model: string | null;
                                /** @enum {unknown} */
                                chat: "new" | "continued" | null;
                                /** @description How often an upstream was tried */
                                attempts: number;
                                duration_ms: number;
                                waited_ms: number | null;
                                first_output_ms: number | null;
                                finish: string | null;
                                input_tokens: number | null;
                                cached_tokens: number | null;
                                output_tokens: number | null;
                                reasoning_tokens: number | null;
                                /** @description The tokens were not counted by the model's own tokenizer */
                                estimated: boolean;
                                /** @description Parameters that the upstream ignored */
                                ignored: string[];
                                trace_id: string | null;
                            };
                        } | {
                            /** @enum {string} */
                            type: "accounts";
                            accounts: {
                                /** @description The name of the upstream */
                                id: string;
                                /** @enum {string} */
                                object: "account";
                                /** @description kimi-web, kimi-legacy, openai, simulator */
                                kind: string;
                                simulated: boolean;
                                /**
                                 * @description From the configuration, from a login that Moonbridge stores, or the simulator without either
                                 * @enum {string}
                                 */
                                origin: "config" | "login" | "built-in";
                                /** @enum {string} */
                                state: "ok" | "expiring" | "busy" | "limited" | "quota" | "login required" | "unavailable";
                                /** @description What to do, as a sentence */
                                detail: string;
                                /** Format: date-time */
                                until: string | null;
                                /** Format: date-time */
                                expires_at: string | null;
                                /** @description Other upstreams are asked first, since this one fails */
                                failing: boolean;
                                /**
                                 * Queue
                                 * @description Queue
                                 */
                                queue: {
                                    running: number;
                                    waiting: number;
                                };
                            }[];
                        } | {
                            /** @enum {string} */
                            type: "drift";
                            /**
                             * New drift
                             * @description New drift
                             */
                            drift: {
                                kind: string;
                                name: string;
                                count: number;
                            };
                        };
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/admin/accounts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The accounts */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Accounts */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            /** @enum {string} */
                            object: "list";
                            data: {
                                /** @description The name of the upstream */
                                id: string;
                                /** @enum {string} */
                                object: "account";
                                /** @description kimi-web, kimi-legacy, openai, simulator */
                                kind: string;
                                simulated: boolean;
                                /**
                                 * @description From the configuration, from a login that Moonbridge stores, or the simulator without either
                                 * @enum {string}
                                 */
                                origin: "config" | "login" | "built-in";
                                /** @enum {string} */
                                state: "ok" | "expiring" | "busy" | "limited" | "quota" | "login required" | "unavailable";
                                /** @description What to do, as a sentence */
                                detail: string;
                                /** Format: date-time */
                                until: string | null;
                                /** Format: date-time */
                                expires_at: string | null;
                                /** @description Other upstreams are asked first, since this one fails */
                                failing: boolean;
                                /**
                                 * Queue
                                 * @description Queue
                                 */
                                queue: {
                                    running: number;
                                    waiting: number;
                                };
                            }[];
                        };
                    };
                };
            };
        };
        put?: never;
        /**
         * Connect an account by pasted tokens or a HAR file
         * @description Takes effect at once. Of an account with this name the login is replaced.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        /** @description Tokens, cookies, Local storage, a request copied from the browser, or a HAR file */
                        text: string;
                        /** @description The account; by default the only one, or kimi */
                        name?: string;
                        /** @description Only say what is in the text */
                        dry_run?: boolean;
                        /** @description Store it without asking Kimi */
                        offline?: boolean;
                        base_url?: string;
                        auth_url?: string;
                    };
                };
            };
            responses: {
                /** @description Imported account */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            /** @enum {string} */
                            object: "account.import";
                            account: string;
                            /**
                             * @description nothing: the text has no login; refused: Kimi refused it or was not reachable, and nothing was stored
                             * @enum {string}
                             */
                            outcome: "verified" | "stored-unverified" | "stored-after-failure" | "refused" | "nothing" | "dry-run";
                            stored: boolean;
                            /** @description What was found, what is missing, as lines of text */
                            recognised: string[];
                            /** @description Without one the login ends with its access token */
                            has_refresh_token: boolean;
                            /** Kimi user */
                            user: {
                                id: string;
                                nickname: string | null;
                            } | null;
                            problem: string | null;
                            error_code: string | null;
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/admin/accounts/{id}/quota": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What an account has used of its quotas */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Quotas of an account */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            /** @enum {string} */
                            object: "list";
                            /** @description Empty if the account has no quotas */
                            data: {
                                name: string;
                                /** @description The used fraction, from 0 to 1 */
                                used: number;
                                /** Format: date-time */
                                resets_at: string | null;
                            }[];
                            error: string | null;
                        };
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/admin/accounts/{id}/check": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Check an account, with a short chat */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Findings about an account */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            /** @enum {string} */
                            object: "list";
                            data: {
                                /** @description What was checked */
                                what: string;
                                /** @enum {string} */
                                state: "ok" | "warn" | "fail";
                                detail: string;
                                remedy: string | null;
                            }[];
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/admin/accounts/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Remove the stored login of an account */
        delete: {
            parameters: {
                query?: {
                    /** @description delete (the default): its chats that Moonbridge made are deleted at Kimi first; keep: they stay there */
                    chats?: "delete" | "keep";
                };
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Removed account */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            id: string;
                            /** @enum {string} */
                            object: "account";
                            deleted: boolean;
                            /**
                             * Chats of the account
                             * @description Chats of the account
                             */
                            chats: {
                                /** @description Deleted at Kimi */
                                deleted: number;
                                /** @description Still at Kimi; Moonbridge no longer knows them */
                                left: number;
                            };
                        };
                    };
                };
            };
        };
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/admin/keys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The API keys */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description API keys */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            /** @enum {string} */
                            object: "list";
                            data: {
                                /** @description The name */
                                id: string;
                                /** @enum {string} */
                                object: "key";
                                /**
                                 * @description Keys of the configuration are changed there, the others here
                                 * @enum {string}
                                 */
                                origin: "config" | "store";
                                /** Format: date-time */
                                created_at: string | null;
                                /** Format: date-time */
                                expires_at: string | null;
                                expired: boolean;
                                /** Format: date-time */
                                last_used_at: string | null;
                                scopes: ("chat" | "admin")[];
                                models: string[] | null;
                                upstreams: string[] | null;
                                requests_per_minute: number | null;
                                requests_per_day: number | null;
                                tokens_per_day: number | null;
                                concurrency: number | null;
                                chats: string | null;
                                citations: string | null;
                                tools: string | null;
                                visible_errors: boolean | null;
                                /**
                                 * Budget used today
                                 * @description Null for a key without a daily budget
                                 */
                                used_today: {
                                    requests: number;
                                    tokens: number;
                                } | null;
                            }[];
                        };
                    };
                };
            };
        };
        put?: never;
        /** Make an API key */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        name: string;
                        scopes?: ("chat" | "admin")[];
                        models?: string[];
                        upstreams?: string[];
                        requests_per_minute?: number | null;
                        requests_per_day?: number | null;
                        tokens_per_day?: number | null;
                        concurrency?: number | null;
                        /** @description A day (until its end, UTC) or a time */
                        expires?: string | null;
                        /** @enum {unknown} */
                        chats?: "native" | "merged" | "ephemeral" | null;
                        /** @enum {unknown} */
                        citations?: "inline" | "footer" | "annotations" | "off" | null;
                        /** @enum {unknown} */
                        tools?: "emulate" | "off" | null;
                        visible_errors?: boolean;
                    };
                };
            };
            responses: {
                /** @description The new key, which is shown once */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            /** @description The name */
                            id: string;
                            /** @enum {string} */
                            object: "key";
                            /**
                             * @description Keys of the configuration are changed there, the others here
                             * @enum {string}
                             */
                            origin: "config" | "store";
                            /** Format: date-time */
                            created_at: string | null;
                            /** Format: date-time */
                            expires_at: string | null;
                            expired: boolean;
                            /** Format: date-time */
                            last_used_at: string | null;
                            scopes: ("chat" | "admin")[];
                            models: string[] | null;
                            upstreams: string[] | null;
                            requests_per_minute: number | null;
                            requests_per_day: number | null;
                            tokens_per_day: number | null;
                            concurrency: number | null;
                            chats: string | null;
                            citations: string | null;
                            tools: string | null;
                            visible_errors: boolean | null;
                            /**
                             * Budget used today
                             * @description Null for a key without a daily budget
                             */
                            used_today: {
                                requests: number;
                                tokens: number;
                            } | null;
                            /** @description The key itself, sent this once */
                            key: string;
                            warning: string | null;
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/admin/keys/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Revoke an API key, and the tokens issued for it */
        delete: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Deleted */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            id: string;
                            /** @enum {string} */
                            object: "key";
                            deleted: boolean;
                        };
                    };
                };
            };
        };
        options?: never;
        head?: never;
        /** Change what an API key may do */
        patch: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            /** @description Settings that are left out stay as they are; null removes a limit */
            requestBody: {
                content: {
                    "application/json": {
                        scopes?: ("chat" | "admin")[];
                        models?: string[];
                        upstreams?: string[];
                        requests_per_minute?: number | null;
                        requests_per_day?: number | null;
                        tokens_per_day?: number | null;
                        concurrency?: number | null;
                        /** @description A day (until its end, UTC) or a time */
                        expires?: string | null;
                        /** @enum {unknown} */
                        chats?: "native" | "merged" | "ephemeral" | null;
                        /** @enum {unknown} */
                        citations?: "inline" | "footer" | "annotations" | "off" | null;
                        /** @enum {unknown} */
                        tools?: "emulate" | "off" | null;
                        visible_errors?: boolean;
                    };
                };
            };
            responses: {
                /** @description API key */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            /** @description The name */
                            id: string;
                            /** @enum {string} */
                            object: "key";
                            /**
                             * @description Keys of the configuration are changed there, the others here
                             * @enum {string}
                             */
                            origin: "config" | "store";
                            /** Format: date-time */
                            created_at: string | null;
                            /** Format: date-time */
                            expires_at: string | null;
                            expired: boolean;
                            /** Format: date-time */
                            last_used_at: string | null;
                            scopes: ("chat" | "admin")[];
                            models: string[] | null;
                            upstreams: string[] | null;
                            requests_per_minute: number | null;
                            requests_per_day: number | null;
                            tokens_per_day: number | null;
                            concurrency: number | null;
                            chats: string | null;
                            citations: string | null;
                            tools: string | null;
                            visible_errors: boolean | null;
                            /**
                             * Budget used today
                             * @description Null for a key without a daily budget
                             */
                            used_today: {
                                requests: number;
                                tokens: number;
                            } | null;
                        };
                    };
                };
            };
        };
        trace?: never;
    };
    "/v1/admin/conversations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The chats that Moonbridge made */
        get: {
            parameters: {
                query?: {
                    /** @description a number from 1 to 500 */
                    limit?: string;
                    /** @description `next` of the page before */
                    before?: string;
                    upstream?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Conversations */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            /** @enum {string} */
                            object: "list";
                            /** @description Those made last first */
                            data: {
                                /** @description The chat's id at Kimi */
                                id: string;
                                /** @enum {string} */
                                object: "conversation";
                                upstream: string;
                                /** @description Answers in it that Moonbridge knows */
                                turns: number;
                                /** Format: date-time */
                                due_at: string;
                                failed_deletions: number;
                            }[];
                            total: number;
                            next: string | null;
                        };
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/admin/conversations/{upstream}/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Delete such a chat at Kimi */
        delete: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    upstream: string;
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Deleted */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            id: string;
                            /** @enum {string} */
                            object: "conversation";
                            deleted: boolean;
                        };
                    };
                };
            };
        };
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/admin/diagnostics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Run the checks of moonbridge doctor */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        /** @description Ask nothing of any network */
                        offline?: boolean;
                        /** @description Send each finding when it is there, as an event “finding”, and “end” after the last one */
                        stream?: boolean;
                    };
                };
            };
            responses: {
                /** @description Findings */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            /** @enum {string} */
                            object: "list";
                            data: {
                                /** @description What was checked */
                                what: string;
                                /** @enum {string} */
                                state: "ok" | "warn" | "fail";
                                detail: string;
                                remedy: string | null;
                            }[];
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/admin/drift": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What Kimi sent that Moonbridge does not know */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Protocol drift */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            /** @enum {string} */
                            object: "list";
                            data: {
                                kind: string;
                                /** @description An identifier of Kimi's protocol */
                                name: string;
                                count: number;
                            }[];
                        };
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/admin/log": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The end of the log */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Log */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            /** @enum {string} */
                            object: "list";
                            data: {
                                /** Format: date-time */
                                time: string;
                                /** @enum {string} */
                                level: "debug" | "info" | "warn" | "error";
                                message: string;
                                fields: {
                                    [key: string]: unknown;
                                };
                            }[];
                        };
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/admin/support-bundle": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Everything that a bug report needs, without secrets and texts */
        get: {
            parameters: {
                query?: {
                    /** @description true: with the checks that ask the network; by default without */
                    online?: "true" | "false";
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Version, settings without secrets, findings, log, requests, drift. No key, token, prompt or answer is in it */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            [key: string]: unknown;
                        };
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/files": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Your files */
        get: {
            parameters: {
                query?: {
                    /** @description how many, from 1 to 10000 */
                    limit?: string;
                    /** @description the id of the file to begin after */
                    after?: string;
                    /** @description asc or desc */
                    order?: "asc" | "desc";
                    purpose?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Files */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            /** @enum {unknown} */
                            object?: "list";
                            data?: {
                                id?: string;
                                /** @enum {unknown} */
                                object?: "file";
                                bytes?: number;
                                created_at?: number;
                                filename?: string;
                                purpose?: string;
                            }[];
                        };
                    };
                };
            };
        };
        put?: never;
        /** Upload a file */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "multipart/form-data": {
                        /** Format: binary */
                        file: string;
                        /** @example user_data */
                        purpose?: string;
                    };
                };
            };
            responses: {
                /** @description File */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            id?: string;
                            /** @enum {unknown} */
                            object?: "file";
                            bytes?: number;
                            created_at?: number;
                            filename?: string;
                            purpose?: string;
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: never;
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export type operations = Record<string, never>;
