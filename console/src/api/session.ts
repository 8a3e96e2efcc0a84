import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { type ApiError, toApiError } from "./api-error.js";
import { answerOf, api, onSignedOut } from "./client.js";
import type { Session } from "./types.js";

export type SessionState =
  | { state: "unknown" }
  | { state: "signed in"; session: Session }
  | { state: "signed out" }
  | { state: "unreachable"; error: ApiError };

const sessionKey = ["session"];

/** The session of this browser. */
export function useSession(): SessionState {
  const client = useQueryClient();
  const { data, error } = useQuery({
    queryKey: sessionKey,
    queryFn: currentSession,
    staleTime: Number.POSITIVE_INFINITY,
    // Only where the server could not be reached: then it may be back any time.
    refetchInterval: ({ state }) => (state.status === "error" ? 3_000 : false),
  });
  useEffect(() => onSignedOut(() => client.setQueryData(sessionKey, null)), [client]);
  if (data) return { state: "signed in", session: data };
  if (data === null) return { state: "signed out" };
  return error ? { state: "unreachable", error: toApiError(error) } : { state: "unknown" };
}

async function currentSession({ signal }: { signal: AbortSignal }): Promise<Session | null> {
  try {
    return await answerOf(api.GET("/v1/admin/sessions/current", { signal }));
  } catch (error) {
    const { status } = toApiError(error);
    if (status === 401 || status === 403) return null;
    throw error;
  }
}

/** Whether people can log in by the configured issuer: its host; null without one. */
export function useLoginIssuer() {
  return useQuery({
    queryKey: ["login"],
    queryFn: async ({ signal }) => {
      const { issuer } = await answerOf(api.GET("/v1/admin/login", { signal }));
      return issuer === null ? null : new URL(issuer).host;
    },
  });
}

/** Where a browser begins the login by the issuer. */
export const issuerLoginAddress = "/v1/admin/login/issuer";

/** Trades the one-time code or an admin key for a session. */
export function useLogin() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (login: { code: string } | { key: string }) =>
      answerOf(api.POST("/v1/admin/sessions", { body: login })),
    onSuccess: async (session) => {
      await client.cancelQueries({ queryKey: sessionKey });
      client.setQueryData(sessionKey, session);
    },
  });
}

export function useLogout() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => answerOf(api.DELETE("/v1/admin/sessions/current", {})),
    onSuccess: () => {
      client.setQueryData(sessionKey, null);
      client.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== sessionKey[0] });
    },
  });
}
