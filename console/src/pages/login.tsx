import { Button, Divider, Group, Loader, Paper, PasswordInput, Stack, Text, Title } from "@mantine/core";
import { LogIn } from "lucide-react";
import { type FormEvent, useState } from "react";
import { ApiError } from "../api/api-error.js";
import { issuerLoginAddress, useLogin, useLoginIssuer } from "../api/session.js";
import { CodeBlock } from "../components/code-block.jsx";
import { Failure } from "../components/failure.jsx";
import { Mark } from "../components/mark.jsx";
import { Preferences } from "../components/preferences.jsx";
import { useMessages } from "../i18n/language.jsx";
import { loginMessages } from "../i18n/login.js";

type LoginPageProps = {
  /** The state of a login with the code of the address, if there was one. */
  code: { isRunning: boolean; error: unknown };
  /** Why a login by the issuer has failed: an error code. */
  issuerError: string | undefined;
};

/** Getting in with an admin key, or by the configured issuer. */
export function LoginPage({ code, issuerError }: LoginPageProps) {
  const t = useMessages(loginMessages);
  const [key, setKey] = useState("");
  const login = useLogin();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (key.trim() !== "") login.mutate({ key: key.trim() });
  };
  return (
    <main className="login">
      <Paper withBorder p="xl" className="login-card">
        <Stack>
          <Group>
            <Mark size={36} />
            <Title order={1} size="h3">
              {t.title}
            </Title>
          </Group>
          {code.isRunning ? (
            <Group>
              <Loader size="sm" />
              <Text size="sm">{t.checking}</Text>
            </Group>
          ) : (
            <form onSubmit={submit}>
              <Stack>
                <Introduction codeError={code.error} issuerError={issuerError} />
                <IssuerButton />
                <PasswordInput
                  label={t.key}
                  value={key}
                  onChange={({ currentTarget }) => setKey(currentTarget.value)}
                  placeholder="sk-…"
                  autoComplete="current-password"
                  data-autofocus
                />
                {login.error ? <Failure what={t.failed} error={login.error} /> : null}
                <Button type="submit" loading={login.isPending} disabled={key.trim() === ""}>
                  {t.submit}
                </Button>
                <div>
                  <Text size="xs" c="dimmed" mb={4}>
                    {t.noKey}
                  </Text>
                  <CodeBlock text="moonbridge keys add admin --scopes admin" label={t.noKeyHelp} />
                </div>
              </Stack>
            </form>
          )}
          <Group gap={4} justify="flex-end">
            <Preferences />
          </Group>
        </Stack>
      </Paper>
    </main>
  );
}

function Introduction({ codeError, issuerError }: { codeError: unknown; issuerError: string | undefined }) {
  const t = useMessages(loginMessages);
  if (codeError)
    return <Failure what={t.codeRefused} error={codeError} why={t.codeWhy} remedy={t.codeRemedy} />;
  if (issuerError !== undefined) {
    const { why, remedy } = t.issuerErrors[issuerError] ?? t.issuerRefused;
    const error = new ApiError({ code: issuerError, message: why });
    return <Failure what={t.issuerFailed} error={error} why={why} remedy={remedy} />;
  }
  return (
    <Text size="sm" c="dimmed">
      {t.intro}
    </Text>
  );
}

/** Leads to the issuer; nothing where the configuration names none for the console. */
function IssuerButton() {
  const t = useMessages(loginMessages);
  const { data: host } = useLoginIssuer();
  if (!host) return null;
  return (
    <>
      <Button
        component="a"
        href={issuerLoginAddress}
        variant="default"
        leftSection={<LogIn size={16} aria-hidden />}
      >
        {t.byIssuer(host)}
      </Button>
      <Divider label={t.or} />
    </>
  );
}
