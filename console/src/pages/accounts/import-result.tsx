import { Alert, Button, Stack, Text } from "@mantine/core";
import { CircleCheck, CircleX, TriangleAlert } from "lucide-react";
import { Link } from "wouter";
import type { AccountImport } from "../../api/types.js";
import { accountsMessages } from "../../i18n/accounts.js";
import { commonMessages } from "../../i18n/common.js";
import { failureMessages } from "../../i18n/failures.js";
import { useMessages } from "../../i18n/language.jsx";

/** What was recognised, whose account it is, what is missing, and what to do. */
export function ImportResult({ result }: { result: AccountImport }) {
  const t = useMessages(accountsMessages);
  const isGood = result.outcome === "verified" || result.outcome === "dry-run";
  const colour = isGood ? "green" : result.stored ? "yellow" : "red";
  const Icon = isGood ? CircleCheck : result.stored ? TriangleAlert : CircleX;
  return (
    <Alert color={colour} icon={<Icon aria-hidden />} title={useTitle(result)} role="status">
      <Stack gap="xs">
        <Problem result={result} />
        {result.recognised.length > 0 && (
          <div>
            <Text size="sm" fw={600}>
              {t.recognised}
            </Text>
            <pre className="recognised">{result.recognised.join("\n")}</pre>
          </div>
        )}
        {result.stored && !result.has_refresh_token && <Text size="sm">{t.noRefresh}</Text>}
        {result.stored && (
          <div>
            <Button component={Link} href="/chat" size="xs">
              {t.toChat}
            </Button>
          </div>
        )}
      </Stack>
    </Alert>
  );
}

function useTitle({ outcome, user, account }: AccountImport): string {
  const t = useMessages(accountsMessages);
  if (outcome !== "verified") return t.outcome[outcome];
  return t.outcome.verified(`${user?.nickname ?? user?.id ?? account} (${account})`);
}

function Problem({ result: { problem, error_code } }: { result: AccountImport }) {
  const common = useMessages(commonMessages);
  const failures = useMessages(failureMessages);
  if (problem === null) return null;
  const explanation = error_code === null ? undefined : failures.byCode[error_code];
  return (
    <div>
      <Text size="sm" className="server-words">
        <b>{common.why}: </b>
        {problem}
      </Text>
      {explanation && (
        <Text size="sm">
          <b>{common.remedy}: </b>
          {explanation.remedy}
        </Text>
      )}
    </div>
  );
}
