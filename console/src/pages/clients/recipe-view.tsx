import { Alert, Button, Group, List, Loader, Stack, Text } from "@mantine/core";
import { CircleCheck, CircleX, KeyRound } from "lucide-react";
import { useState } from "react";
import { Link } from "wouter";
import { apiUrl, serverUrl } from "../../api/client.js";
import { useAdminEvents } from "../../api/events.jsx";
import { useCreateKey, useKeys } from "../../api/queries.js";
import type { NewApiKey, RequestEntry } from "../../api/types.js";
import { CodeBlock, CopyValue } from "../../components/code-block.jsx";
import { Failure } from "../../components/failure.jsx";
import { clientsMessages } from "../../i18n/clients.js";
import { useLanguage, useMessages } from "../../i18n/language.jsx";
import type { Recipe, Step } from "./recipes/recipe.js";

/** The steps for one client, a key of its own, and whether its first request has arrived. */
export function RecipeView({ recipe }: { recipe: Recipe }) {
  const t = useMessages(clientsMessages);
  const [made, setMade] = useState<NewApiKey>();
  const address = { base: serverUrl.replace(/\/$/, ""), api: apiUrl, key: made?.key ?? t.keyPlaceholder };
  const isLocal = /^(localhost|127\.|\[::1\])/.test(location.hostname);
  return (
    <Stack>
      {made ? <Arrival keyName={made.id} /> : <MakeKey recipe={recipe} onMade={setMade} />}
      <List type="ordered" spacing="md" className="steps" aria-label={t.steps}>
        {recipe.steps(address).map((step, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: the steps of a recipe do not change their order.
          <List.Item key={index}>
            <StepView step={step} />
          </List.Item>
        ))}
      </List>
      {isLocal && (
        <Text size="sm" c="dimmed">
          {t.local}
        </Text>
      )}
    </Stack>
  );
}

function MakeKey({ recipe, onMade }: { recipe: Recipe; onMade: (key: NewApiKey) => void }) {
  const t = useMessages(clientsMessages);
  const keys = useKeys();
  const create = useCreateKey();
  const taken = new Set(keys.data?.map(({ id }) => id));
  return (
    <Stack gap="xs">
      <Group>
        <Button
          leftSection={<KeyRound size={16} aria-hidden />}
          loading={create.isPending}
          disabled={keys.isPending}
          onClick={() => create.mutate({ name: freeName(recipe.id, taken) }, { onSuccess: onMade })}
        >
          {t.makeKey(recipe.name)}
        </Button>
        <Text size="sm" c="dimmed">
          {t.keyText}
        </Text>
      </Group>
      {create.error && <Failure what={t.keyFailed} error={create.error} />}
    </Stack>
  );
}

/** The name, or the name with the lowest number that no key has. */
function freeName(name: string, taken: ReadonlySet<string>): string {
  let candidate = name;
  for (let number = 2; taken.has(candidate); number++) candidate = `${name}-${number}`;
  return candidate;
}

/** Says when the first request with the key has come, and whether it was refused. */
function Arrival({ keyName }: { keyName: string }) {
  const t = useMessages(clientsMessages);
  const [first, setFirst] = useState<Pick<RequestEntry, "id" | "error_code">>();
  useAdminEvents((event) => {
    if (event.type === "request.started" && event.request.key === keyName)
      setFirst((before) => before ?? { id: event.request.id, error_code: null });
    if (event.type === "request.ended" && event.request.key === keyName) setFirst(event.request);
  });
  const isRefused = first !== undefined && first.error_code !== null;
  return (
    <Alert
      color={first === undefined ? "blue" : isRefused ? "red" : "green"}
      icon={
        first === undefined ? (
          <Loader size={18} aria-hidden />
        ) : isRefused ? (
          <CircleX aria-hidden />
        ) : (
          <CircleCheck aria-hidden />
        )
      }
      role="status"
      title={
        first === undefined
          ? t.waiting(keyName)
          : first.error_code === null
            ? t.arrived(keyName)
            : t.arrivedFailed(keyName, first.error_code)
      }
    >
      {first === undefined ? (
        <Text size="sm">{t.keyMade(keyName)}</Text>
      ) : (
        <Button
          component={Link}
          href={`/requests/${encodeURIComponent(first.id)}`}
          size="xs"
          variant="default"
        >
          {t.details}
        </Button>
      )}
    </Alert>
  );
}

function StepView({ step }: { step: Step }) {
  const { language } = useLanguage();
  switch (step.kind) {
    case "text":
      return <Text size="sm">{step.text[language]}</Text>;
    case "value":
      return (
        <div>
          <Text size="sm" mb={2}>
            {step.label[language]}
          </Text>
          <CopyValue text={step.value} label={step.label[language]} />
        </div>
      );
    case "code":
      return (
        <div>
          <Text size="sm" mb={4}>
            {step.where[language]}
          </Text>
          <CodeBlock text={step.code} label={step.where[language]} />
        </div>
      );
  }
}
