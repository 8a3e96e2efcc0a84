import { ActionIcon, Button, Group, Menu, Text } from "@mantine/core";
import { Braces, Code, History, MessageSquarePlus, Trash2 } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { toRequest } from "../../api/chat/conversation.js";
import { apiUrl } from "../../api/client.js";
import { Empty } from "../../components/empty.jsx";
import { Page } from "../../components/page.jsx";
import { chatMessages } from "../../i18n/chat.js";
import { useMessages } from "../../i18n/language.jsx";
import { ChatSettingsBar, useChatSettings } from "./chat-settings.jsx";
import { Composer } from "./composer.jsx";
import { AnswerView, UserMessageView } from "./message-view.jsx";
import { RawEvents } from "./raw-events.jsx";
import { RequestCode } from "./request-code-view.jsx";
import { useChat } from "./use-chat.js";

type Aside = "code" | "events";

/** A playground: a conversation as the API gives it, with its request as code and its raw events beside it. */
export default function ChatPage() {
  const t = useMessages(chatMessages);
  const { settings, setSettings } = useChatSettings();
  const chat = useChat(settings);
  const [aside, setAside] = useState<Aside>();
  const { messages } = chat.current;
  const answer = messages.at(-1);
  useScrollToEnd(
    messages.length,
    answer?.role === "assistant" ? answer.text.length + answer.reasoning.length : 0,
  );
  const toggle = (name: Aside) => setAside((shown) => (shown === name ? undefined : name));
  return (
    <Page
      title={t.title}
      intro={t.intro}
      wide={aside !== undefined}
      actions={
        <>
          <ConversationMenu chat={chat} />
          <Button
            size="xs"
            variant="default"
            leftSection={<MessageSquarePlus size={15} aria-hidden />}
            onClick={chat.startNew}
          >
            {t.newConversation}
          </Button>
        </>
      }
    >
      <Group justify="space-between" gap="xs">
        <ChatSettingsBar settings={settings} onChange={setSettings} />
        <Group gap={4}>
          <Button
            size="xs"
            variant={aside === "code" ? "light" : "subtle"}
            aria-pressed={aside === "code"}
            leftSection={<Code size={15} aria-hidden />}
            onClick={() => toggle("code")}
          >
            {t.code}
          </Button>
          <Button
            size="xs"
            variant={aside === "events" ? "light" : "subtle"}
            aria-pressed={aside === "events"}
            leftSection={<Braces size={15} aria-hidden />}
            onClick={() => toggle("events")}
          >
            {t.events}
          </Button>
        </Group>
      </Group>
      <div className={aside ? "chat chat-with-aside" : "chat"}>
        <div className="chat-column">
          {messages.length === 0 && <Empty text={t.empty} />}
          <div className="chat-messages" role="log" aria-label={t.title}>
            {messages.map((message, index) =>
              message.role === "user" ? (
                <UserMessageView
                  // biome-ignore lint/suspicious/noArrayIndexKey: messages are only added at the end or cut off there.
                  key={index}
                  message={message}
                  canEdit={!chat.isStreaming}
                  onEdit={(text) => chat.edit(index, { ...message, text })}
                />
              ) : (
                <AnswerView
                  // biome-ignore lint/suspicious/noArrayIndexKey: messages are only added at the end or cut off there.
                  key={index}
                  answer={message}
                  canRegenerate={!chat.isStreaming}
                  onRegenerate={() => chat.regenerate(index)}
                />
              ),
            )}
          </div>
          <Composer isStreaming={chat.isStreaming} onSend={chat.send} onStop={chat.stop} />
        </div>
        {aside && (
          <aside className="chat-aside" aria-label={t[aside]}>
            {aside === "code" ? (
              <RequestCode
                request={messages.length > 0 ? lastRequest(messages, settings) : undefined}
                url={apiUrl}
              />
            ) : (
              <RawEvents events={chat.rawEvents} />
            )}
          </aside>
        )}
      </div>
    </Page>
  );
}

/** The request of the last message of the person. */
function lastRequest(
  messages: ReturnType<typeof useChat>["current"]["messages"],
  settings: Parameters<typeof toRequest>[1],
) {
  const end = messages.findLastIndex(({ role }) => role === "user") + 1;
  return toRequest(messages.slice(0, end), settings);
}

function ConversationMenu({ chat }: { chat: ReturnType<typeof useChat> }) {
  const t = useMessages(chatMessages);
  if (chat.conversations.length === 0) return null;
  return (
    <Menu width={320} position="bottom-end">
      <Menu.Target>
        <Button size="xs" variant="default" leftSection={<History size={15} aria-hidden />}>
          {t.conversations}
        </Button>
      </Menu.Target>
      <Menu.Dropdown className="conversation-list">
        {chat.conversations.map((conversation) => (
          <Group key={conversation.id} gap={2} wrap="nowrap">
            <Menu.Item onClick={() => chat.open(conversation)} className="conversation-item">
              <Text size="sm" truncate>
                {conversation.title}
              </Text>
            </Menu.Item>
            <ActionIcon
              variant="subtle"
              color="gray"
              aria-label={t.deleteConversation(conversation.title)}
              onClick={() => chat.remove(conversation.id)}
            >
              <Trash2 size={15} aria-hidden />
            </ActionIcon>
          </Group>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

/** Shows a new message, and keeps the end in view while its answer grows, unless the person has scrolled up. */
function useScrollToEnd(messages: number, size: number) {
  const hasScrolledUp = useRef(false);
  useEffect(() => {
    const note = () => {
      const { scrollHeight } = document.documentElement;
      hasScrolledUp.current = scrollHeight - window.scrollY - window.innerHeight > 160;
    };
    window.addEventListener("scroll", note, { passive: true });
    return () => window.removeEventListener("scroll", note);
  }, []);
  // biome-ignore lint/correctness/useExhaustiveDependencies: it scrolls whenever a message was added.
  useEffect(() => scrollToEnd(), [messages]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: it scrolls whenever the answer has grown.
  useEffect(() => {
    if (!hasScrolledUp.current) scrollToEnd();
  }, [size]);
}

function scrollToEnd(): void {
  window.scrollTo({ top: document.documentElement.scrollHeight });
}
