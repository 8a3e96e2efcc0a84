import { Alert, Button, Group, Modal, Stack, Text, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { useRenameAccount } from "../../api/queries.js";
import { Failure } from "../../components/failure.jsx";
import { accountsMessages } from "../../i18n/accounts.js";
import { commonMessages } from "../../i18n/common.js";
import { useMessages } from "../../i18n/language.jsx";

type RenameAccountProps = { account: string; onClose: () => void; onRenamed: (renaming: Renaming) => void };

/** A name that has changed; `warnings`: settings that still have the old one. */
export type Renaming = { from: string; to: string; warnings: readonly string[] };

/** Asks for another name of an account. */
export function RenameAccount({ account, onClose, onRenamed }: RenameAccountProps) {
  const t = useMessages(accountsMessages);
  const common = useMessages(commonMessages);
  const [name, setName] = useState(account);
  const rename = useRenameAccount();
  const newName = name.trim();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    rename.mutate(
      { id: account, name: newName },
      {
        onSuccess: ({ id, renamed_from, warnings }) => {
          onRenamed({ from: renamed_from, to: id, warnings });
          onClose();
        },
      },
    );
  };
  return (
    <Modal
      opened
      onClose={onClose}
      title={t.renameTitle(account)}
      closeButtonProps={{ "aria-label": common.close }}
    >
      <form onSubmit={submit}>
        <Stack>
          <TextInput
            label={t.newName}
            description={t.renameText}
            value={name}
            onChange={({ currentTarget }) => setName(currentTarget.value)}
            maxLength={64}
            data-autofocus
          />
          {rename.error ? <Failure what={t.renameFailed} error={rename.error} /> : null}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              {common.cancel}
            </Button>
            <Button type="submit" loading={rename.isPending} disabled={newName === "" || newName === account}>
              {t.rename}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

/** Says that an account has another name, and what is left to be changed. */
export function RenamedNotice({ renaming: { from, to, warnings } }: { renaming: Renaming }) {
  const t = useMessages(accountsMessages);
  return (
    <Alert color={warnings.length > 0 ? "yellow" : "green"} role="status">
      <Text size="sm">{t.renamed(from, to)}</Text>
      {warnings.map((warning) => (
        <Text key={warning} size="sm">
          {warning}
        </Text>
      ))}
    </Alert>
  );
}
