import { Badge, Button, Group, Modal, Skeleton, Stack, Table, Text } from "@mantine/core";
import { KeyRound } from "lucide-react";
import { useState } from "react";
import { Link } from "wouter";
import { useKeys, useRevokeKey } from "../../api/queries.js";
import type { ApiKey, NewApiKey } from "../../api/types.js";
import { CodeBlock } from "../../components/code-block.jsx";
import { Confirm } from "../../components/confirm.jsx";
import { Empty } from "../../components/empty.jsx";
import { Failure } from "../../components/failure.jsx";
import { KeyForm } from "../../components/key-form.jsx";
import { Page } from "../../components/page.jsx";
import { RelativeTime } from "../../components/time.jsx";
import { commonMessages } from "../../i18n/common.js";
import { useFormat } from "../../i18n/format.js";
import { keysMessages } from "../../i18n/keys.js";
import { useMessages } from "../../i18n/language.jsx";

/** The API keys: make one, see what each may and when it was used, revoke. */
export default function KeysPage() {
  const t = useMessages(keysMessages);
  const keys = useKeys();
  const [isCreating, setIsCreating] = useState(false);
  const createButton = (
    <Button leftSection={<KeyRound size={16} aria-hidden />} onClick={() => setIsCreating(true)}>
      {t.create}
    </Button>
  );
  return (
    <Page title={t.title} intro={t.intro} wide actions={createButton}>
      {keys.error && <Failure what={t.failed} error={keys.error} onRetry={() => keys.refetch()} />}
      {keys.isPending && <Skeleton height={120} />}
      {keys.data?.length === 0 && <Empty text={t.empty}>{createButton}</Empty>}
      {keys.data && keys.data.length > 0 && <KeyTable keys={keys.data} />}
      <CreateKey opened={isCreating} onClose={() => setIsCreating(false)} />
    </Page>
  );
}

function CreateKey({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const t = useMessages(keysMessages);
  const common = useMessages(commonMessages);
  const [created, setCreated] = useState<NewApiKey>();
  const close = () => {
    onClose();
    setCreated(undefined);
  };
  return (
    <Modal
      opened={opened}
      onClose={close}
      title={created ? t.created(created.id) : t.create}
      size="lg"
      closeButtonProps={{ "aria-label": common.close }}
      // The key is shown once: a click beside the dialog must not lose it.
      closeOnClickOutside={created === undefined}
    >
      {created ? <CreatedKey created={created} onClose={close} /> : <KeyForm onCreated={setCreated} />}
    </Modal>
  );
}

function CreatedKey({ created, onClose }: { created: NewApiKey; onClose: () => void }) {
  const t = useMessages(keysMessages);
  return (
    <Stack>
      <Text size="sm">{t.createdText}</Text>
      <CodeBlock text={created.key} label={t.created(created.id)} />
      {created.warning !== null && (
        <Text size="sm" c="dimmed" className="server-words">
          {created.warning}
        </Text>
      )}
      <Group justify="flex-end">
        <Button variant="default" component={Link} href="/clients">
          {t.connectClient}
        </Button>
        <Button onClick={onClose}>{t.done}</Button>
      </Group>
    </Stack>
  );
}

function KeyTable({ keys }: { keys: readonly ApiKey[] }) {
  const t = useMessages(keysMessages);
  return (
    <Table verticalSpacing="sm" className="stacked-table">
      <Table.Thead>
        <Table.Tr>
          <Table.Th>{t.columns.name}</Table.Th>
          <Table.Th>{t.columns.scopes}</Table.Th>
          <Table.Th>{t.columns.limits}</Table.Th>
          <Table.Th className="number">{t.columns.used}</Table.Th>
          <Table.Th className="number">{t.columns.created}</Table.Th>
          <Table.Th className="number">{t.columns.actions}</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {keys.map((key) => (
          <KeyRow key={key.id} apiKey={key} />
        ))}
      </Table.Tbody>
    </Table>
  );
}

function KeyRow({ apiKey }: { apiKey: ApiKey }) {
  const t = useMessages(keysMessages);
  const limits = useLimits(apiKey);
  const [isRevoking, setIsRevoking] = useState(false);
  const revoke = useRevokeKey();
  const { id, origin, expired, expires_at, last_used_at, created_at, scopes } = apiKey;
  return (
    <Table.Tr>
      <Table.Td data-label={t.columns.name}>
        <div>
          <Text size="sm" fw={600}>
            {id}
          </Text>
          {expires_at !== null && (
            <Text size="xs" c="dimmed">
              {expired ? t.expired : t.expiresIn} <RelativeTime iso={expires_at} />
            </Text>
          )}
        </div>
      </Table.Td>
      <Table.Td data-label={t.columns.scopes}>
        <Group gap={4}>
          {scopes.map((scope) => (
            <Badge key={scope} variant="default" tt="none" fw={500}>
              {scope}
            </Badge>
          ))}
        </Group>
      </Table.Td>
      <Table.Td data-label={t.columns.limits}>
        <div>
          {limits.length === 0 ? (
            <Text size="sm" c="dimmed">
              {t.noLimits}
            </Text>
          ) : (
            limits.map((limit) => (
              <Text key={limit} size="sm">
                {limit}
              </Text>
            ))
          )}
        </div>
      </Table.Td>
      <Table.Td data-label={t.columns.used} className="number">
        {last_used_at === null ? t.never : <RelativeTime iso={last_used_at} />}
      </Table.Td>
      <Table.Td data-label={t.columns.created} className="number">
        {created_at === null ? t.unknown : <RelativeTime iso={created_at} />}
      </Table.Td>
      <Table.Td data-label={t.columns.actions} className="number">
        {origin === "config" ? (
          <Text size="xs" c="dimmed">
            {t.fromConfig}
          </Text>
        ) : (
          <Button
            size="xs"
            variant="subtle"
            color="red"
            aria-label={t.revokeQuestion(id)}
            onClick={() => setIsRevoking(true)}
          >
            {t.revoke}
          </Button>
        )}
        <Confirm
          opened={isRevoking}
          question={t.revokeQuestion(id)}
          consequence={t.revokeText}
          action={t.revoke}
          failed={t.revokeFailed}
          isRunning={revoke.isPending}
          error={revoke.error}
          onConfirm={() => revoke.mutate(id, { onSuccess: () => setIsRevoking(false) })}
          onClose={() => setIsRevoking(false)}
        />
      </Table.Td>
    </Table.Tr>
  );
}

/** The limits of a key in words; of daily budgets also what is used up. */
function useLimits(key: ApiKey): string[] {
  const { limits } = useMessages(keysMessages);
  const { number } = useFormat();
  const used = key.used_today ?? { requests: 0, tokens: 0 };
  return [
    key.requests_per_minute === null ? undefined : limits.perMinute(number(key.requests_per_minute)),
    key.concurrency === null ? undefined : limits.concurrency(number(key.concurrency)),
    key.requests_per_day === null
      ? undefined
      : limits.perDay(number(used.requests), number(key.requests_per_day)),
    key.tokens_per_day === null
      ? undefined
      : limits.tokensPerDay(number(used.tokens), number(key.tokens_per_day)),
    key.models === null ? undefined : limits.models(key.models.join(", ")),
  ].filter((limit) => limit !== undefined);
}
