// Written by test/console/api-schema.test.ts from /openapi.json.
export interface paths {
    "/v1/admin/accounts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            /** @enum {string} */
                            object: "list";
                            data: {
                                id: string;
                                /** @enum {string} */
                                object: "account";
                                kind: string;
                                simulated: boolean;
                                /** @enum {string} */
                                origin: "config" | "login" | "built-in";
                                /** @enum {string} */
                                state: "ok" | "expiring" | "busy" | "limited" | "quota" | "login required" | "unavailable";
                                detail: string;
                                /** Format: date-time */
                                until: string | null;
                                /** Format: date-time */
                                expires_at: string | null;
                                failing: boolean;
                                /** Queue */
                                queue: {
                                    running: number;
                                    waiting: number;
                                };
                                capabilities: {
                                    name: string;
                                    value: boolean | number;
                                    default: boolean | number;
                                    /** @enum {string} */
                                    source: "probe" | "use";
                                    /** Format: date-time */
                                    changed_at: string;
                                    /** Text */
                                    meaning: {
                                        en: string;
                                        zh: string;
                                    };
                                    /** Text */
                                    fallback: {
                                        en: string;
                                        zh: string;
                                    };
                                }[];
                            }[];
                        };
                    };
                };
            };
        };
        put?: never;
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
                        text: string;
                        name?: string;
                        dry_run?: boolean;
                        /** @enum {string} */
                        language?: "en" | "zh";
                        offline?: boolean;
                        base_url?: string;
                        auth_url?: string;
                    };
                };
            };
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            /** @enum {string} */
                            object: "account.import";
                            account: string;
                            /** @enum {string} */
                            outcome: "verified" | "stored-unverified" | "stored-after-failure" | "refused" | "nothing" | "dry-run";
                            stored: boolean;
                            recognised: string[];
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
        delete: {
            parameters: {
                query?: {
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
                            /** Chats of the account */
                            chats: {
                                deleted: number;
                                left: number;
                            };
                        };
                    };
                };
            };
        };
        options?: never;
        head?: never;
        patch: {
            parameters: {
                query?: {
                    language?: "en" | "zh";
                };
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        name: string;
                    };
                };
            };
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            id: string;
                            /** @enum {string} */
                            object: "account";
                            renamed_from: string;
                            warnings: string[];
                        };
                    };
                };
            };
        };
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
        post: {
            parameters: {
                query?: {
                    language?: "en" | "zh";
                };
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            /** @enum {string} */
                            object: "list";
                            data: {
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
    "/v1/admin/accounts/{id}/quota": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
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
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            /** @enum {string} */
                            object: "list";
                            data: {
                                name: string;
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
    "/v1/admin/conversations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: {
            parameters: {
                query?: {
                    limit?: string;
                    before?: string;
                    upstream?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            /** @enum {string} */
                            object: "list";
                            data: {
                                id: string;
                                /** @enum {string} */
                                object: "conversation";
                                upstream: string;
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
                        /** @enum {string} */
                        language?: "en" | "zh";
                        offline?: boolean;
                        stream?: boolean;
                    };
                };
            };
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            /** @enum {string} */
                            object: "list";
                            data: {
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
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
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
    "/v1/admin/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/event-stream": {
                            /** @enum {string} */
                            type: "request.started";
                            /** Started request */
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
                            /** Request */
                            request: {
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
                                attempts: number;
                                duration_ms: number;
                                waited_ms: number | null;
                                first_output_ms: number | null;
                                finish: string | null;
                                input_tokens: number | null;
                                cached_tokens: number | null;
                                output_tokens: number | null;
                                reasoning_tokens: number | null;
                                estimated: boolean;
                                ignored: string[];
                                trace_id: string | null;
                            };
                        } | {
                            /** @enum {string} */
                            type: "accounts";
                            accounts: {
                                id: string;
                                /** @enum {string} */
                                object: "account";
                                kind: string;
                                simulated: boolean;
                                /** @enum {string} */
                                origin: "config" | "login" | "built-in";
                                /** @enum {string} */
                                state: "ok" | "expiring" | "busy" | "limited" | "quota" | "login required" | "unavailable";
                                detail: string;
                                /** Format: date-time */
                                until: string | null;
                                /** Format: date-time */
                                expires_at: string | null;
                                failing: boolean;
                                /** Queue */
                                queue: {
                                    running: number;
                                    waiting: number;
                                };
                                capabilities: {
                                    name: string;
                                    value: boolean | number;
                                    default: boolean | number;
                                    /** @enum {string} */
                                    source: "probe" | "use";
                                    /** Format: date-time */
                                    changed_at: string;
                                    /** Text */
                                    meaning: {
                                        en: string;
                                        zh: string;
                                    };
                                    /** Text */
                                    fallback: {
                                        en: string;
                                        zh: string;
                                    };
                                }[];
                            }[];
                        } | {
                            /** @enum {string} */
                            type: "drift";
                            /** New drift */
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
    "/v1/admin/keys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            /** @enum {string} */
                            object: "list";
                            data: {
                                id: string;
                                /** @enum {string} */
                                object: "key";
                                /** @enum {string} */
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
                                /** Budget used today */
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
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            id: string;
                            /** @enum {string} */
                            object: "key";
                            /** @enum {string} */
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
                            /** Budget used today */
                            used_today: {
                                requests: number;
                                tokens: number;
                            } | null;
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
        patch: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
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
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            id: string;
                            /** @enum {string} */
                            object: "key";
                            /** @enum {string} */
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
                            /** Budget used today */
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
    "/v1/admin/log": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
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
    "/v1/admin/login": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            /** @enum {string} */
                            object: "admin.login";
                            issuer: string | null;
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
        get: {
            parameters: {
                query?: {
                    limit?: string;
                    before?: string;
                    key?: string;
                    model?: string;
                    upstream?: string;
                    dialect?: string;
                    outcome?: "ok" | "failed" | "cancelled";
                    error_code?: string;
                    since?: string;
                    until?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            /** @enum {string} */
                            object: "list";
                            data: {
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
                                attempts: number;
                                duration_ms: number;
                                waited_ms: number | null;
                                first_output_ms: number | null;
                                finish: string | null;
                                input_tokens: number | null;
                                cached_tokens: number | null;
                                output_tokens: number | null;
                                reasoning_tokens: number | null;
                                estimated: boolean;
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
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
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
                            attempts: number;
                            duration_ms: number;
                            waited_ms: number | null;
                            first_output_ms: number | null;
                            finish: string | null;
                            input_tokens: number | null;
                            cached_tokens: number | null;
                            output_tokens: number | null;
                            reasoning_tokens: number | null;
                            estimated: boolean;
                            ignored: string[];
                            trace_id: string | null;
                            /** Texts of a request */
                            texts: {
                                prompt: string;
                                prompt_length: number;
                                earlier_messages: number;
                                answer: string;
                                answer_length: number;
                            } | null;
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
    "/v1/admin/server": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
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
                            simulated: boolean;
                            config_file: string | null;
                            store: string;
                            files: string;
                            restart_needed: string[];
                            /** Journal */
                            journal: {
                                days: number;
                                rows: number;
                                lost: number;
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
    "/v1/admin/sessions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
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
                        code?: string;
                        key?: string;
                    };
                };
            };
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            /** @enum {string} */
                            object: "admin.session";
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
        delete: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            /** @enum {string} */
                            object: "admin.session";
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
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            /** @enum {string} */
                            object: "admin.session";
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
        delete: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            /** @enum {string} */
                            object: "admin.session";
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
    "/v1/admin/support-bundle": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
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
    "/v1/admin/usage": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: {
            parameters: {
                query?: {
                    by?: "key" | "model" | "account" | "outcome";
                    from?: string;
                    to?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
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
                            from: string;
                            to: string;
                            data: {
                                day: string;
                                name: string;
                                requests: number;
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
        get: {
            parameters: {
                query?: {
                    by?: "key" | "model" | "account" | "outcome";
                    from?: string;
                    to?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
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
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
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
    "/v1/files": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: {
            parameters: {
                query?: {
                    limit?: string;
                    after?: string;
                    order?: "asc" | "desc";
                    purpose?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
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
    "/v1/models": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: {
            parameters: {
                query?: {
                    limit?: string;
                    after_id?: string;
                    before_id?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
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
