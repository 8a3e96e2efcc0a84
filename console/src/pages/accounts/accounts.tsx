import { Paper, Stack, Tabs, Text, Title } from "@mantine/core";
import { ClipboardPaste, FileJson, Send } from "lucide-react";
import { useRef, useState } from "react";
import { isHandOverWindow, useHandOver } from "../../api/hand-over.js";
import { useAccounts, useImportAccount } from "../../api/queries.js";
import { Failure } from "../../components/failure.jsx";
import { Page } from "../../components/page.jsx";
import { accountsMessages } from "../../i18n/accounts.js";
import { useMessages } from "../../i18n/language.jsx";
import { AccountRow } from "./account-row.jsx";
import { HandOverPanel, HarPanel, PastePanel } from "./connect-ways.jsx";
import { ImportResult } from "./import-result.jsx";
import { type Removal, RemoveAccount, RemovedNotice } from "./remove-account.jsx";
import { RenameAccount, RenamedNotice, type Renaming } from "./rename-account.jsx";

type Way = keyof (typeof accountsMessages)["en"]["ways"];

/** The accounts, and three ways to connect one. */
export default function AccountsPage() {
  const t = useMessages(accountsMessages);
  const accounts = useAccounts();
  const [name, setName] = useState("");
  // Here, since the row is gone as soon as the account has another name or is removed.
  const [chosen, setChosen] = useState<string>();
  const [removing, setRemoving] = useState<string>();
  const [removal, setRemoval] = useState<Removal>();
  const [renaming, setRenaming] = useState<Renaming>();
  const connect = useRef<HTMLDivElement>(null);
  return (
    <Page title={t.title} intro={t.intro}>
      {accounts.error && (
        <Failure what={t.failed} error={accounts.error} onRetry={() => accounts.refetch()} />
      )}
      {renaming && <RenamedNotice renaming={renaming} />}
      {chosen !== undefined && (
        <RenameAccount account={chosen} onClose={() => setChosen(undefined)} onRenamed={setRenaming} />
      )}
      {removal && <RemovedNotice removal={removal} />}
      {removing !== undefined && (
        <RemoveAccount account={removing} onClose={() => setRemoving(undefined)} onRemoved={setRemoval} />
      )}
      <Stack gap="sm">
        {accounts.data?.map((account) => (
          <AccountRow
            key={account.id}
            account={account}
            onRename={() => setChosen(account.id)}
            onRemove={() => setRemoving(account.id)}
            onLoginAnew={() => {
              setName(account.id);
              connect.current?.scrollIntoView({ behavior: "smooth" });
              connect.current?.focus();
            }}
          />
        ))}
      </Stack>
      <div ref={connect} tabIndex={-1} className="no-outline">
        <ConnectAccount name={name} onNameChange={setName} />
      </div>
    </Page>
  );
}

function ConnectAccount({ name, onNameChange }: { name: string; onNameChange: (name: string) => void }) {
  const t = useMessages(accountsMessages);
  const [way, setWay] = useState<Way>(isHandOverWindow() ? "handOver" : "paste");
  const [refusedOrigin, setRefusedOrigin] = useState<string>();
  const login = useImportAccount();
  const submit = (text: string) =>
    login.mutate({ text, ...(name.trim() === "" ? {} : { name: name.trim() }) });
  useHandOver(isHandOverWindow(), { onLogin: submit, onRefused: setRefusedOrigin });
  const panel = { name, onNameChange, isRunning: login.isPending, onSubmit: submit };
  return (
    <Paper withBorder p="lg">
      <Stack>
        <Title order={2} size="h4">
          {t.connect}
        </Title>
        <Tabs value={way} onChange={(value) => setWay(readWay(value))} keepMounted={false}>
          <Tabs.List mb="md">
            <Tabs.Tab value="handOver" leftSection={<Send size={15} aria-hidden />}>
              {t.ways.handOver}
            </Tabs.Tab>
            <Tabs.Tab value="paste" leftSection={<ClipboardPaste size={15} aria-hidden />}>
              {t.ways.paste}
            </Tabs.Tab>
            <Tabs.Tab value="har" leftSection={<FileJson size={15} aria-hidden />}>
              {t.ways.har}
            </Tabs.Tab>
          </Tabs.List>
          <Tabs.Panel value="handOver">
            <HandOverPanel isWaiting={isHandOverWindow() && login.isIdle} refusedOrigin={refusedOrigin} />
          </Tabs.Panel>
          <Tabs.Panel value="paste">
            <PastePanel {...panel} />
          </Tabs.Panel>
          <Tabs.Panel value="har">
            <HarPanel {...panel} />
          </Tabs.Panel>
        </Tabs>
        {login.isPending && (
          <Text size="sm" role="status">
            {t.checking}
          </Text>
        )}
        {login.error && <Failure what={t.importFailed} error={login.error} />}
        {login.data && <ImportResult result={login.data} />}
      </Stack>
    </Paper>
  );
}

function readWay(value: string | null): Way {
  return value === "handOver" || value === "har" ? value : "paste";
}
