import { Text } from "@mantine/core";
import type { ChangedCapability } from "../../api/types.js";
import { RelativeTime } from "../../components/time.jsx";
import { accountsMessages } from "../../i18n/accounts.js";
import { useLanguage, useMessages } from "../../i18n/language.jsx";

/** Where Kimi treats an account otherwise than Moonbridge assumes of every account; folded. */
export function ChangedCapabilities({ capabilities }: { capabilities: readonly ChangedCapability[] }) {
  const t = useMessages(accountsMessages);
  if (capabilities.length === 0) return null;
  return (
    <details>
      <summary className="capabilities-summary">{t.capabilities.title(capabilities.length)}</summary>
      <ul className="findings">
        {capabilities.map((capability) => (
          <Capability key={capability.name} capability={capability} />
        ))}
      </ul>
    </details>
  );
}

function Capability({ capability }: { capability: ChangedCapability }) {
  const { capabilities: t } = useMessages(accountsMessages);
  const { language } = useLanguage();
  const { name, value, source, changed_at, meaning, fallback } = capability;
  const answer = typeof value === "number" ? String(value) : value ? t.yes : t.no;
  return (
    <li className="capability">
      <Text size="sm">
        <b>{answer}</b> · {meaning[language]}
      </Text>
      {value !== true && (
        <Text size="sm" c="dimmed">
          {t.fallback}: {fallback[language]}
        </Text>
      )}
      <Text size="xs" c="dimmed">
        {t.sources[source]} · <RelativeTime iso={changed_at} /> · <code>{name}</code>
      </Text>
    </li>
  );
}
