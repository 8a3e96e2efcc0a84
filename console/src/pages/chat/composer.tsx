import { ActionIcon, Badge, Button, FileButton, Group, Textarea } from "@mantine/core";
import { Paperclip, SendHorizontal, Square, X } from "lucide-react";
import { type DragEvent, useState } from "react";
import type { UserMessage } from "../../api/chat/conversation.js";
import { type Attachment, attach } from "../../api/chat/upload.js";
import { Failure } from "../../components/failure.jsx";
import { chatMessages } from "../../i18n/chat.js";
import { useMessages } from "../../i18n/language.jsx";

type ComposerProps = { isStreaming: boolean; onSend: (message: UserMessage) => void; onStop: () => void };

const uploadDeadline = 120_000;

/** Where the next message is written: text, and files by button, drop or paste. */
export function Composer({ isStreaming, onSend, onStop }: ComposerProps) {
  const t = useMessages(chatMessages);
  const [text, setText] = useState("");
  const [isDropTarget, setIsDropTarget] = useState(false);
  const files = useAttachments();
  const canSend = !isStreaming && !files.isReading && (text.trim() !== "" || files.attachments.length > 0);
  const submit = () => {
    if (!canSend) return;
    onSend({ role: "user", text: text.trim(), attachments: files.attachments });
    setText("");
    files.clear();
  };
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setIsDropTarget(false);
    files.add([...event.dataTransfer.files]);
  };
  return (
    <div className="composer-dock">
      {/* biome-ignore lint/a11y/noStaticElementInteractions: a target for dropped files; the button does the same. */}
      <div
        className={isDropTarget ? "composer composer-drop" : "composer"}
        onDragOver={(event) => {
          event.preventDefault();
          setIsDropTarget(true);
        }}
        onDragLeave={() => setIsDropTarget(false)}
        onDrop={drop}
      >
        {files.error !== undefined && <Failure what={t.attachFailed} error={files.error} />}
        {files.attachments.length > 0 && (
          <Group gap={6}>
            {files.attachments.map((attachment, index) => (
              <AttachmentBadge
                // biome-ignore lint/suspicious/noArrayIndexKey: two files may have the same name.
                key={index}
                attachment={attachment}
                onRemove={() => files.remove(index)}
              />
            ))}
          </Group>
        )}
        <Textarea
          aria-label={t.placeholder}
          placeholder={isDropTarget ? t.dropHere : t.placeholder}
          autosize
          minRows={2}
          maxRows={10}
          variant="unstyled"
          value={text}
          onChange={({ currentTarget }) => setText(currentTarget.value)}
          onPaste={({ clipboardData }) =>
            clipboardData.files.length > 0 && files.add([...clipboardData.files])
          }
          onKeyDown={(event) => {
            if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
            event.preventDefault();
            submit();
          }}
        />
        <Group justify="space-between">
          <FileButton multiple onChange={(chosen) => files.add(chosen)}>
            {(props) => (
              <ActionIcon
                {...props}
                variant="subtle"
                color="gray"
                aria-label={t.attach}
                loading={files.isReading}
              >
                <Paperclip size={18} aria-hidden />
              </ActionIcon>
            )}
          </FileButton>
          {isStreaming ? (
            <Button
              size="sm"
              variant="default"
              leftSection={<Square size={14} aria-hidden />}
              onClick={onStop}
            >
              {t.stop}
            </Button>
          ) : (
            <Button
              size="sm"
              disabled={!canSend}
              leftSection={<SendHorizontal size={15} aria-hidden />}
              onClick={submit}
            >
              {t.send}
            </Button>
          )}
        </Group>
      </div>
    </div>
  );
}

function AttachmentBadge({ attachment, onRemove }: { attachment: Attachment; onRemove: () => void }) {
  const t = useMessages(chatMessages);
  return (
    <Badge
      variant="default"
      size="lg"
      tt="none"
      fw={400}
      leftSection={
        attachment.kind === "picture" ? (
          <img src={attachment.url} alt="" className="attachment-preview" />
        ) : null
      }
      rightSection={
        <ActionIcon
          size="xs"
          variant="subtle"
          color="gray"
          aria-label={t.removeFile(attachment.name)}
          onClick={onRemove}
        >
          <X size={12} aria-hidden />
        </ActionIcon>
      }
    >
      {attachment.name}
    </Badge>
  );
}

function useAttachments() {
  const [attachments, setAttachments] = useState<Attachment[]>([]);
  const [reading, setReading] = useState(0);
  const [error, setError] = useState<unknown>();
  const add = async (chosen: readonly File[]) => {
    setError(undefined);
    setReading((count) => count + chosen.length);
    for (const file of chosen) {
      try {
        const attachment = await attach(file, AbortSignal.timeout(uploadDeadline));
        setAttachments((others) => [...others, attachment]);
      } catch (failure) {
        setError(failure);
      } finally {
        setReading((count) => count - 1);
      }
    }
  };
  return {
    attachments,
    error,
    isReading: reading > 0,
    add,
    remove: (index: number) => setAttachments((others) => others.filter((_, each) => each !== index)),
    clear: () => setAttachments([]),
  };
}
