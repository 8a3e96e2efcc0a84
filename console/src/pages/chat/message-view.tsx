import {
  ActionIcon,
  Anchor,
  Button,
  Collapse,
  Group,
  Loader,
  Stack,
  Text,
  Textarea,
  Tooltip,
} from "@mantine/core";
import { ChevronDown, ChevronRight, FileText, Globe, Pencil, RotateCcw } from "lucide-react";
import { useDeferredValue, useState } from "react";
import { ApiError } from "../../api/api-error.js";
import type { AnswerMessage, UserMessage } from "../../api/chat/conversation.js";
import { CopyButton } from "../../components/copy-button.jsx";
import { Failure } from "../../components/failure.jsx";
import { Markdown } from "../../components/markdown.jsx";
import { chatMessages } from "../../i18n/chat.js";
import { commonMessages } from "../../i18n/common.js";
import { useFormat } from "../../i18n/format.js";
import { useMessages } from "../../i18n/language.jsx";

type UserMessageViewProps = { message: UserMessage; canEdit: boolean; onEdit: (text: string) => void };

export function UserMessageView({ message, canEdit, onEdit }: UserMessageViewProps) {
  const t = useMessages(chatMessages);
  const common = useMessages(commonMessages);
  const [draft, setDraft] = useState<string>();
  if (draft !== undefined)
    return (
      <Stack gap="xs" className="user-message">
        <Textarea
          aria-label={t.edit}
          autosize
          value={draft}
          onChange={({ currentTarget }) => setDraft(currentTarget.value)}
        />
        <Group gap="xs" justify="flex-end">
          <Button size="xs" variant="default" onClick={() => setDraft(undefined)}>
            {common.cancel}
          </Button>
          <Button
            size="xs"
            disabled={draft.trim() === ""}
            onClick={() => {
              setDraft(undefined);
              onEdit(draft.trim());
            }}
          >
            {t.saveEdit}
          </Button>
        </Group>
      </Stack>
    );
  return (
    <div className="user-row">
      {canEdit && (
        <Tooltip label={t.edit}>
          <ActionIcon
            variant="subtle"
            color="gray"
            aria-label={t.edit}
            onClick={() => setDraft(message.text)}
          >
            <Pencil size={15} aria-hidden />
          </ActionIcon>
        </Tooltip>
      )}
      <div className="user-message">
        {message.attachments.map((attachment, index) =>
          attachment.kind === "picture" ? (
            // biome-ignore lint/suspicious/noArrayIndexKey: the attachments of a message do not change.
            <img key={index} src={attachment.url} alt={attachment.name} className="message-picture" />
          ) : (
            // biome-ignore lint/suspicious/noArrayIndexKey: the attachments of a message do not change.
            <Group key={index} gap={6}>
              <FileText size={15} aria-hidden />
              <Text size="sm">{attachment.name}</Text>
            </Group>
          ),
        )}
        {message.text}
      </div>
    </div>
  );
}

type AnswerViewProps = { answer: AnswerMessage; canRegenerate: boolean; onRegenerate: () => void };

export function AnswerView({ answer, canRegenerate, onRegenerate }: AnswerViewProps) {
  const t = useMessages(chatMessages);
  const text = useDeferredValue(answer.text);
  const { state } = answer;
  return (
    <article className="answer" aria-busy={state.name === "streaming"}>
      {answer.searches.length > 0 && (
        <Group gap={6}>
          <Globe size={14} aria-hidden />
          <Text size="xs" c="dimmed">
            {t.searches}: {answer.searches.join(" · ")}
          </Text>
        </Group>
      )}
      {answer.reasoning !== "" && <Reasoning text={answer.reasoning} />}
      {text !== "" && <Markdown text={text} />}
      {state.name === "streaming" && text === "" && (
        <Group gap="xs">
          <Loader size="xs" type="dots" aria-hidden />
          <Text size="sm" c="dimmed">
            {t.waiting}
          </Text>
        </Group>
      )}
      {answer.sources.length > 0 && <Sources answer={answer} />}
      {state.name === "stopped" && (
        <Text size="sm" c="dimmed">
          {t.stopped}
        </Text>
      )}
      {state.name === "failed" && (
        <Failure
          what={t.failed}
          error={new ApiError(state)}
          onRetry={canRegenerate ? onRegenerate : undefined}
        />
      )}
      {state.name !== "streaming" && (
        <Group gap={4}>
          {text !== "" && <CopyButton text={answer.text} label={t.copyAnswer} />}
          {canRegenerate && (
            <Tooltip label={t.regenerate}>
              <ActionIcon variant="subtle" color="gray" aria-label={t.regenerate} onClick={onRegenerate}>
                <RotateCcw size={15} aria-hidden />
              </ActionIcon>
            </Tooltip>
          )}
          <Facts answer={answer} />
        </Group>
      )}
    </article>
  );
}

function Reasoning({ text }: { text: string }) {
  const t = useMessages(chatMessages);
  const [isOpen, setIsOpen] = useState(false);
  return (
    <div>
      <Button
        size="compact-xs"
        variant="subtle"
        color="gray"
        aria-expanded={isOpen}
        leftSection={isOpen ? <ChevronDown size={14} aria-hidden /> : <ChevronRight size={14} aria-hidden />}
        onClick={() => setIsOpen(!isOpen)}
      >
        {t.reasoning}
      </Button>
      <Collapse expanded={isOpen}>
        <div className="reasoning">{text}</div>
      </Collapse>
    </div>
  );
}

function Sources({ answer }: { answer: AnswerMessage }) {
  const t = useMessages(chatMessages);
  return (
    <section aria-label={t.sources} className="sources">
      {answer.sources.map(({ url, title }, index) => (
        <Anchor
          // biome-ignore lint/suspicious/noArrayIndexKey: a source may be cited twice.
          key={index}
          href={url}
          target="_blank"
          rel="noreferrer noopener"
          underline="never"
          className="source"
        >
          <Text size="sm" lineClamp={2}>
            {index + 1}. {title}
          </Text>
          <Text size="xs" c="dimmed" truncate>
            {new URL(url).host}
          </Text>
        </Anchor>
      ))}
    </section>
  );
}

function Facts({ answer }: { answer: AnswerMessage }) {
  const t = useMessages(chatMessages);
  const format = useFormat();
  const { firstWordMs, totalMs, usage, model } = answer;
  const facts = [
    model,
    ...(firstWordMs === undefined ? [] : [t.facts.firstWord(format.duration(firstWordMs))]),
    ...(totalMs === undefined ? [] : [t.facts.total(format.duration(totalMs))]),
    ...(usage ? [t.facts.tokens(format.number(usage.input), format.number(usage.output))] : []),
    ...(usage?.estimated ? [t.facts.estimated] : []),
  ];
  return (
    <Text size="xs" c="dimmed">
      {facts.join(" · ")}
    </Text>
  );
}
