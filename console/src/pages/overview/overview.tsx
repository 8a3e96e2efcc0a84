import { Alert, Button, Group, Stack, Text, Title } from "@mantine/core";
import { FlaskConical, TriangleAlert } from "lucide-react";
import { Link } from "wouter";
import { useAccounts, useDrift } from "../../api/queries.js";
import { Failure } from "../../components/failure.jsx";
import { Page } from "../../components/page.jsx";
import { useMessages } from "../../i18n/language.jsx";
import { overviewMessages } from "../../i18n/overview.js";
import { AccountCard } from "./account-card.jsx";
import { TodayFigures } from "./today-figures.jsx";

/** Is it well? The accounts, the last day, and what needs attention. */
export function OverviewPage() {
  const t = useMessages(overviewMessages);
  const accounts = useAccounts();
  return (
    <Page title={t.title}>
      {accounts.data?.every(({ simulated }) => simulated) && <SimulatorNotice />}
      <DriftNotice />
      <TodayFigures />
      <Stack gap="sm">
        <Title order={2} size="h4">
          {t.accounts}
        </Title>
        {accounts.error && (
          <Failure what={t.accountsFailed} error={accounts.error} onRetry={() => accounts.refetch()} />
        )}
        {accounts.data?.map((account) => (
          <AccountCard key={account.id} account={account} />
        ))}
      </Stack>
    </Page>
  );
}

function SimulatorNotice() {
  const t = useMessages(overviewMessages);
  return (
    <Alert color="yellow" icon={<FlaskConical aria-hidden />} title={t.simulated}>
      <Text size="sm">{t.simulatedText}</Text>
      <Group mt="sm" gap="xs">
        <Button component={Link} href="/accounts" size="xs">
          {t.connect}
        </Button>
        <Button component={Link} href="/chat" size="xs" variant="default">
          {t.tryChat}
        </Button>
      </Group>
    </Alert>
  );
}

function DriftNotice() {
  const t = useMessages(overviewMessages);
  const { data = [] } = useDrift();
  if (data.length === 0) return null;
  return (
    <Alert color="yellow" icon={<TriangleAlert aria-hidden />} title={t.drift}>
      <Text size="sm">{t.driftText(data.length)}</Text>
      <Button component={Link} href="/health" size="xs" variant="default" mt="sm">
        {t.driftDetails}
      </Button>
    </Alert>
  );
}
