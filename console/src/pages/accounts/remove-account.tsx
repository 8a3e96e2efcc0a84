import { Alert, Checkbox } from "@mantine/core";
import { useState } from "react";
import { useRemoveAccount } from "../../api/queries.js";
import { Confirm } from "../../components/confirm.jsx";
import { accountsMessages } from "../../i18n/accounts.js";
import { useMessages } from "../../i18n/language.jsx";

/** What came of a removal; `deleted` and `left`: chats at Kimi. */
export type Removal = { account: string; deleted: number; left: number };

type RemoveAccountProps = { account: string; onClose: () => void; onRemoved: (removal: Removal) => void };

/** Asks whether an account is to be removed, and does it. */
export function RemoveAccount({ account, onClose, onRemoved }: RemoveAccountProps) {
  const t = useMessages(accountsMessages);
  const [deletesChats, setDeletesChats] = useState(true);
  const remove = useRemoveAccount();
  const confirm = () =>
    remove.mutate(
      { id: account, chats: deletesChats ? "delete" : "keep" },
      {
        onSuccess: ({ chats }) => {
          onRemoved({ account, ...chats });
          onClose();
        },
      },
    );
  return (
    <Confirm
      opened
      question={t.removeQuestion(account)}
      consequence={t.removeText}
      action={t.remove}
      failed={t.removeFailed}
      isRunning={remove.isPending}
      error={remove.error}
      onConfirm={confirm}
      onClose={onClose}
    >
      <Checkbox
        label={t.removeChats}
        checked={deletesChats}
        onChange={({ currentTarget }) => setDeletesChats(currentTarget.checked)}
      />
    </Confirm>
  );
}

/** Says that an account is gone, and what became of its chats. */
export function RemovedNotice({ removal: { account, deleted, left } }: { removal: Removal }) {
  const t = useMessages(accountsMessages);
  return (
    <Alert color="green" role="status">
      {t.removed(account, deleted, left)}
    </Alert>
  );
}
