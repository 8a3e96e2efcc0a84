import { Select } from "@mantine/core";
import { useLocalStorage } from "@mantine/hooks";
import type { ChatSettings, Switch } from "../../api/chat/conversation.js";
import { useModels } from "../../api/queries.js";
import { chatMessages } from "../../i18n/chat.js";
import { useMessages } from "../../i18n/language.jsx";

const switches: readonly Switch[] = ["default", "on", "off"];
const defaults: ChatSettings = { model: "kimi", thinking: "default", search: "default" };

/** Model and switches of the chat, kept in this browser. */
export function useChatSettings() {
  const [settings, setSettings] = useLocalStorage<ChatSettings>({
    key: "moonbridge.chat-settings",
    defaultValue: defaults,
    getInitialValueInEffect: false,
  });
  return { settings, setSettings };
}

type ChatSettingsBarProps = { settings: ChatSettings; onChange: (settings: ChatSettings) => void };

export function ChatSettingsBar({ settings, onChange }: ChatSettingsBarProps) {
  const t = useMessages(chatMessages);
  const { data: models = [], error } = useModels();
  const ids = [...new Set([settings.model, ...models.map(({ id }) => id)])];
  const choices = switches.map((value) => ({ value, label: t.switches[value] }));
  return (
    <div className="chat-settings">
      <Select
        size="xs"
        label={t.model}
        data={ids}
        value={settings.model}
        searchable
        allowDeselect={false}
        limit={100}
        error={error ? t.modelsFailed : undefined}
        onChange={(model) => model !== null && onChange({ ...settings, model })}
      />
      <Select
        size="xs"
        label={t.thinking}
        data={choices}
        value={settings.thinking}
        allowDeselect={false}
        onChange={(thinking) => thinking !== null && onChange({ ...settings, thinking })}
      />
      <Select
        size="xs"
        label={t.search}
        data={choices}
        value={settings.search}
        allowDeselect={false}
        onChange={(search) => search !== null && onChange({ ...settings, search })}
      />
    </div>
  );
}
