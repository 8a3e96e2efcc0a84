import {
  Button,
  Checkbox,
  Collapse,
  Group,
  MultiSelect,
  NumberInput,
  SimpleGrid,
  Stack,
  TextInput,
} from "@mantine/core";
import { ChevronDown, ChevronRight } from "lucide-react";
import { useState } from "react";
import { useCreateKey, useModels } from "../api/queries.js";
import type { NewApiKey, NewKeyBody } from "../api/types.js";
import { keysMessages } from "../i18n/keys.js";
import { useMessages } from "../i18n/language.jsx";
import { Failure } from "./failure.jsx";

type KeyFormProps = { suggestedName?: string; onCreated: (key: NewApiKey) => void };

const scopes = ["chat", "admin"] as const;
const namePattern = /^[A-Za-z0-9._-]{1,64}$/;

/** Makes an API key: name, scopes, and limits on demand. */
export function KeyForm({ suggestedName = "", onCreated }: KeyFormProps) {
  const t = useMessages(keysMessages);
  const [body, setBody] = useState<NewKeyBody>({ name: suggestedName, scopes: ["chat"] });
  const [showsLimits, setShowsLimits] = useState(false);
  const create = useCreateKey();
  const change = (fields: Partial<NewKeyBody>) => setBody((before) => ({ ...before, ...fields }));
  const chosen = body.scopes ?? [];
  const isValid = namePattern.test(body.name) && chosen.length > 0;
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        create.mutate(body, { onSuccess: onCreated });
      }}
    >
      <Stack>
        <TextInput
          label={t.form.name}
          description={t.form.nameHelp}
          value={body.name}
          data-autofocus
          autoComplete="off"
          maxLength={64}
          onChange={({ currentTarget }) => change({ name: currentTarget.value })}
        />
        <Checkbox.Group
          label={t.form.scopes}
          value={chosen}
          onChange={(values) => change({ scopes: scopes.filter((scope) => values.includes(scope)) })}
        >
          <Stack gap={6} mt={6}>
            {scopes.map((scope) => (
              <Checkbox key={scope} value={scope} label={`${scope}: ${t.form.scopeNames[scope]}`} />
            ))}
          </Stack>
        </Checkbox.Group>
        <div>
          <Button
            variant="subtle"
            size="compact-sm"
            aria-expanded={showsLimits}
            leftSection={
              showsLimits ? <ChevronDown size={14} aria-hidden /> : <ChevronRight size={14} aria-hidden />
            }
            onClick={() => setShowsLimits(!showsLimits)}
          >
            {t.form.more}
          </Button>
          <Collapse expanded={showsLimits}>
            <Limits body={body} onChange={change} />
          </Collapse>
        </div>
        {create.error && <Failure what={t.createFailed} error={create.error} />}
        <Group justify="flex-end">
          <Button type="submit" disabled={!isValid} loading={create.isPending}>
            {t.create}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

const limitFields = [
  ["requests_per_minute", "perMinute"],
  ["concurrency", "concurrency"],
  ["requests_per_day", "perDay"],
  ["tokens_per_day", "tokensPerDay"],
] as const;

function Limits({ body, onChange }: { body: NewKeyBody; onChange: (fields: Partial<NewKeyBody>) => void }) {
  const t = useMessages(keysMessages);
  const { data: models = [] } = useModels();
  return (
    <Stack gap="sm" mt="xs">
      <MultiSelect
        label={t.form.models}
        description={t.form.modelsHelp}
        data={[...new Set(models.map(({ id }) => id))]}
        value={body.models ?? []}
        searchable
        limit={100}
        onChange={(names) => onChange({ models: names })}
      />
      <SimpleGrid cols={2}>
        {limitFields.map(([field, name]) => (
          <NumberInput
            key={field}
            label={t.form[name]}
            placeholder={t.form.noLimit}
            min={1}
            allowDecimal={false}
            thousandSeparator=","
            value={body[field] ?? ""}
            onChange={(value) => onChange({ [field]: typeof value === "number" ? value : null })}
          />
        ))}
        <TextInput
          type="date"
          label={t.form.expires}
          value={body.expires ?? ""}
          onChange={({ currentTarget }) => onChange({ expires: currentTarget.value || null })}
        />
      </SimpleGrid>
    </Stack>
  );
}
