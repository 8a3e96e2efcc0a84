import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useLanguage } from "../i18n/language.jsx";
import { answerOf, api } from "./client.js";
import { useAdminEvents } from "./events.jsx";
import type { Account, NewKeyBody, UsageGroup } from "./types.js";

export function useServerState() {
  return useQuery({
    queryKey: ["server"],
    queryFn: ({ signal }) => answerOf(api.GET("/v1/admin/server", { signal })),
  });
}

/** The accounts, as events change them. */
export function useAccounts() {
  const client = useQueryClient();
  useAdminEvents((event) => {
    if (event.type === "accounts") client.setQueryData<Account[]>(["accounts"], event.accounts);
  });
  return useQuery({
    queryKey: ["accounts"],
    queryFn: async ({ signal }): Promise<Account[]> =>
      (await answerOf(api.GET("/v1/admin/accounts", { signal }))).data,
  });
}

export function useQuota(id: string) {
  return useQuery({
    queryKey: ["quota", id],
    queryFn: ({ signal }) =>
      answerOf(api.GET("/v1/admin/accounts/{id}/quota", { params: { path: { id } }, signal })),
    staleTime: 60_000,
  });
}

/** What was recognised comes in the language of the page. */
export function useImportAccount() {
  const { language } = useLanguage();
  const client = useQueryClient();
  return useMutation({
    mutationFn: (login: { text: string; name?: string }) =>
      answerOf(api.POST("/v1/admin/accounts", { body: { ...login, language } })),
    onSuccess: () => client.invalidateQueries({ queryKey: ["accounts"] }),
  });
}

export function useCheckAccount() {
  const { language } = useLanguage();
  return useMutation({
    mutationFn: async (id: string) => {
      const params = { path: { id }, query: { language } };
      return (await answerOf(api.POST("/v1/admin/accounts/{id}/check", { params }))).data;
    },
  });
}

/** The warnings come in the language of the page. */
export function useRenameAccount() {
  const { language } = useLanguage();
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ id, name }: { id: string; name: string }) => {
      const params = { path: { id }, query: { language } };
      return answerOf(api.PATCH("/v1/admin/accounts/{id}", { params, body: { name } }));
    },
    onSuccess: () => client.invalidateQueries({ queryKey: ["accounts"] }),
  });
}

export function useRemoveAccount() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ id, chats }: { id: string; chats: "delete" | "keep" }) =>
      answerOf(api.DELETE("/v1/admin/accounts/{id}", { params: { path: { id }, query: { chats } } })),
    onSuccess: () => client.invalidateQueries({ queryKey: ["accounts"] }),
  });
}

export function useKeys() {
  return useQuery({
    queryKey: ["keys"],
    queryFn: async ({ signal }) => (await answerOf(api.GET("/v1/admin/keys", { signal }))).data,
  });
}

export function useCreateKey() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: NewKeyBody) => answerOf(api.POST("/v1/admin/keys", { body })),
    onSuccess: () => client.invalidateQueries({ queryKey: ["keys"] }),
  });
}

export function useRevokeKey() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => answerOf(api.DELETE("/v1/admin/keys/{id}", { params: { path: { id } } })),
    onSuccess: () => client.invalidateQueries({ queryKey: ["keys"] }),
  });
}

export type Model = { id: string; name: string; owner: string };

export function useModels() {
  return useQuery({
    queryKey: ["models"],
    queryFn: async ({ signal }): Promise<Model[]> => {
      const { data = [] } = await answerOf(api.GET("/v1/models", { signal }));
      return data.flatMap(({ id, name, owned_by }) =>
        id === undefined ? [] : [{ id, name: name ?? id, owner: owned_by ?? "" }],
      );
    },
    staleTime: 60_000,
  });
}

export function useUsage(query: { by: UsageGroup; from?: string; to?: string }) {
  return useQuery({
    queryKey: ["usage", query],
    queryFn: ({ signal }) => answerOf(api.GET("/v1/admin/usage", { params: { query }, signal })),
  });
}

export function useUsageHours() {
  return useQuery({
    queryKey: ["usage hours"],
    queryFn: async ({ signal }) => (await answerOf(api.GET("/v1/admin/usage/hours", { signal }))).data,
    refetchInterval: 60_000,
  });
}

export function useDrift() {
  const client = useQueryClient();
  useAdminEvents((event) => {
    if (event.type === "drift") client.invalidateQueries({ queryKey: ["drift"] });
  });
  return useQuery({
    queryKey: ["drift"],
    queryFn: async ({ signal }) => (await answerOf(api.GET("/v1/admin/drift", { signal }))).data,
  });
}

export function useLog() {
  return useQuery({
    queryKey: ["log"],
    queryFn: async ({ signal }) => (await answerOf(api.GET("/v1/admin/log", { signal }))).data,
  });
}
