import { Badge, Button, Group, Paper, Progress, Skeleton, Stack, Text } from "@mantine/core";
import { Link } from "wouter";
import { useQuota } from "../../api/queries.js";
import type { Account, AccountQuotas } from "../../api/types.js";
import { StateLabel } from "../../components/state.jsx";
import { RelativeTime } from "../../components/time.jsx";
import { useFormat } from "../../i18n/format.js";
import { useMessages } from "../../i18n/language.jsx";
import { overviewMessages } from "../../i18n/overview.js";
import { shellMessages } from "../../i18n/shell.js";

/** One account: its state, the next thing to do, quotas and queue. */
export function AccountCard({ account }: { account: Account }) {
  const t = useMessages(overviewMessages);
  const shell = useMessages(shellMessages);
  const { state, detail, queue, until, expires_at, failing, simulated } = account;
  return (
    <Paper withBorder p="md">
      <Stack gap="xs">
        <Group justify="space-between" gap="xs">
          <Group gap="sm">
            <Text fw={600}>{account.id}</Text>
            <Badge variant="default" tt="none" fw={500}>
              {simulated ? shell.simulated : account.kind}
            </Badge>
          </Group>
          <StateLabel state={state} />
        </Group>
        {state !== "ok" && (
          <Text size="sm" c="dimmed" className="server-words">
            {detail}
          </Text>
        )}
        {failing && (
          <Text size="sm" c="dimmed">
            {t.failing}
          </Text>
        )}
        <Quotas account={account.id} />
        <Group gap="md">
          <Text size="xs" c="dimmed">
            {t.running(queue.running)} · {t.waiting(queue.waiting)}
          </Text>
          {until !== null && (
            <Text size="xs" c="dimmed">
              {t.until} <RelativeTime iso={until} />
            </Text>
          )}
          {expires_at !== null && state === "expiring" && (
            <Text size="xs" c="dimmed">
              {t.expires} <RelativeTime iso={expires_at} />
            </Text>
          )}
        </Group>
        {state === "login required" && (
          <Group>
            <Button component={Link} href="/accounts" size="xs">
              {t.loginAgain}
            </Button>
          </Group>
        )}
      </Stack>
    </Paper>
  );
}

function Quotas({ account }: { account: string }) {
  const t = useMessages(overviewMessages);
  const { data, error, isPending } = useQuota(account);
  if (isPending) return <Skeleton height={14} />;
  if (error || data?.error)
    return (
      <Text size="xs" c="dimmed">
        {t.quotaFailed}
      </Text>
    );
  return (
    <Stack gap={6}>
      {data?.data.map((quota) => (
        <QuotaBar key={quota.name} quota={quota} />
      ))}
    </Stack>
  );
}

function QuotaBar({ quota }: { quota: AccountQuotas["data"][number] }) {
  const t = useMessages(overviewMessages);
  const format = useFormat();
  const share = format.percent(quota.used);
  return (
    <div>
      <Group justify="space-between" gap="xs" mb={3}>
        <Text size="xs">{t.used(quota.name, share)}</Text>
        {quota.resets_at !== null && (
          <Text size="xs" c="dimmed">
            {t.resets} <RelativeTime iso={quota.resets_at} />
          </Text>
        )}
      </Group>
      <Progress
        value={Math.min(100, quota.used * 100)}
        color={quota.used >= 0.9 ? "red" : "night"}
        size="sm"
        aria-label={t.used(quota.name, share)}
      />
    </div>
  );
}
