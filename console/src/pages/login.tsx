import { Button, Group, Loader, Paper, PasswordInput, Stack, Text, Title } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { useLogin } from "../api/session.js";
import { CodeBlock } from "../components/code-block.jsx";
import { Failure } from "../components/failure.jsx";
import { Mark } from "../components/mark.jsx";
import { Preferences } from "../components/preferences.jsx";
import { useMessages } from "../i18n/language.jsx";
import { loginMessages } from "../i18n/login.js";

/** Getting in with an admin key; `code`: the state of a login with the code of the address, if there was one. */
export function LoginPage({ code }: { code: { isRunning: boolean; error: unknown } }) {
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
                {code.error ? (
                  <Failure what={t.codeRefused} error={code.error} why={t.codeWhy} remedy={t.codeRemedy} />
                ) : (
                  <Text size="sm" c="dimmed">
                    {t.intro}
                  </Text>
                )}
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
