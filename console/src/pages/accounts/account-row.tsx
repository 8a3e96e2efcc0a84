import { Badge, Button, Group, Paper, Stack, Text, Tooltip } from "@mantine/core";
import { useCheckAccount } from "../../api/queries.js";
import type { Account } from "../../api/types.js";
import { Failure } from "../../components/failure.jsx";
import { Findings } from "../../components/findings.jsx";
import { StateLabel } from "../../components/state.jsx";
import { accountsMessages } from "../../i18n/accounts.js";
import { useMessages } from "../../i18n/language.jsx";
import { ChangedCapabilities } from "./changed-capabilities.jsx";

type AccountRowProps = {
  account: Account;
  onLoginAnew: () => void;
  onRename: () => void;
  onRemove: () => void;
};

/** One account with what can be done with it. */
export function AccountRow({ account, onLoginAnew, onRename, onRemove }: AccountRowProps) {
  const t = useMessages(accountsMessages);
  const check = useCheckAccount();
  const origin = { config: t.fromConfig, "built-in": t.builtIn, login: undefined }[account.origin];
  return (
    <Paper withBorder p="md">
      <Stack gap="xs">
        <Group justify="space-between">
          <Group gap="sm">
            <Text fw={600}>{account.id}</Text>
            <Badge variant="default" tt="none" fw={500}>
              {account.kind}
            </Badge>
            <StateLabel state={account.state} />
          </Group>
          <Group gap="xs">
            <Tooltip label={t.checkHint}>
              <Button
                size="xs"
                variant="default"
                loading={check.isPending}
                onClick={() => check.mutate(account.id)}
              >
                {t.check}
              </Button>
            </Tooltip>
            {!account.simulated && (
              <Button size="xs" variant="default" onClick={onLoginAnew}>
                {t.loginAnew}
              </Button>
            )}
            {account.origin === "login" && (
              <Button size="xs" variant="default" onClick={onRename}>
                {t.rename}
              </Button>
            )}
            {account.origin === "login" && (
              <Button size="xs" variant="subtle" color="red" onClick={onRemove}>
                {t.remove}
              </Button>
            )}
          </Group>
        </Group>
        {account.state !== "ok" && (
          <Text size="sm" className="server-words">
            {account.detail}
          </Text>
        )}
        {origin !== undefined && (
          <Text size="xs" c="dimmed">
            {account.id}: {origin}
          </Text>
        )}
        <ChangedCapabilities capabilities={account.capabilities} />
        {check.error && <Failure what={t.checkFailed} error={check.error} />}
        {check.data && <Findings findings={check.data} />}
      </Stack>
    </Paper>
  );
}
