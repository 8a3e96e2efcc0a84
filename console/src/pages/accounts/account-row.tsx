import { Alert, Badge, Button, Checkbox, Group, Paper, Stack, Text, Tooltip } from "@mantine/core";
import { useState } from "react";
import { useCheckAccount, useRemoveAccount } from "../../api/queries.js";
import type { Account } from "../../api/types.js";
import { Confirm } from "../../components/confirm.jsx";
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
};

/** One account with what can be done with it. */
export function AccountRow({ account, onLoginAnew, onRename }: AccountRowProps) {
  const t = useMessages(accountsMessages);
  const check = useCheckAccount();
  const [isRemoving, setIsRemoving] = useState(false);
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
              <Button size="xs" variant="subtle" color="red" onClick={() => setIsRemoving(true)}>
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
      <RemoveAccount account={account.id} opened={isRemoving} onClose={() => setIsRemoving(false)} />
    </Paper>
  );
}

function RemoveAccount({
  account,
  opened,
  onClose,
}: {
  account: string;
  opened: boolean;
  onClose: () => void;
}) {
  const t = useMessages(accountsMessages);
  const [deletesChats, setDeletesChats] = useState(true);
  const remove = useRemoveAccount();
  return (
    <>
      {remove.data && (
        <Alert color="green" role="status" mt="sm">
          {t.removed(account, remove.data.chats.deleted, remove.data.chats.left)}
        </Alert>
      )}
      <Confirm
        opened={opened}
        question={t.removeQuestion(account)}
        consequence={t.removeText}
        action={t.remove}
        failed={t.removeFailed}
        isRunning={remove.isPending}
        error={remove.error}
        onConfirm={() =>
          remove.mutate({ id: account, chats: deletesChats ? "delete" : "keep" }, { onSuccess: onClose })
        }
        onClose={onClose}
      >
        <Checkbox
          label={t.removeChats}
          checked={deletesChats}
          onChange={({ currentTarget }) => setDeletesChats(currentTarget.checked)}
        />
      </Confirm>
    </>
  );
}
