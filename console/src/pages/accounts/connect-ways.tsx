import {
  Alert,
  Anchor,
  Button,
  FileButton,
  Group,
  List,
  Stack,
  Text,
  Textarea,
  TextInput,
} from "@mantine/core";
import { ShieldX, Upload } from "lucide-react";
import { type DragEvent, useEffect, useRef, useState } from "react";
import { ApiError } from "../../api/api-error.js";
import { handOverScript } from "../../api/hand-over.js";
import { CodeBlock } from "../../components/code-block.jsx";
import { Failure } from "../../components/failure.jsx";
import { accountsMessages } from "../../i18n/accounts.js";
import { useMessages } from "../../i18n/language.jsx";

type PanelProps = {
  name: string;
  onNameChange: (name: string) => void;
  isRunning: boolean;
  onSubmit: (text: string) => void;
};

/** Below the 64 MB that the server takes as the body of a request. */
const largestHar = 60 * 1_048_576;

export function HandOverPanel({
  isWaiting,
  refusedOrigin,
}: {
  isWaiting: boolean;
  refusedOrigin: string | undefined;
}) {
  const t = useMessages(accountsMessages);
  const { steps } = t.handOver;
  return (
    <Stack gap="sm">
      {refusedOrigin !== undefined && (
        <Alert color="red" icon={<ShieldX aria-hidden />} role="alert">
          {t.handOver.refused(refusedOrigin)}
        </Alert>
      )}
      {isWaiting && refusedOrigin === undefined && (
        <Alert role="status" title={t.handOver.waiting}>
          {t.handOver.waitingText}
        </Alert>
      )}
      <Text size="sm">{t.handOver.text}</Text>
      <List type="ordered" size="sm" spacing={4}>
        {steps.map((step) => (
          <List.Item key={step}>{step}</List.Item>
        ))}
      </List>
      <Group>
        <Bookmarklet name={t.handOver.bookmark} />
      </Group>
      <Text size="sm" c="dimmed">
        {t.handOver.noBar}
      </Text>
      <CodeBlock text={handOverScript()} label={t.handOver.line} />
    </Stack>
  );
}

/** React refuses to write a `javascript:` address, which is what a bookmarklet is; it does nothing when clicked here. */
function Bookmarklet({ name }: { name: string }) {
  const link = useRef<HTMLAnchorElement>(null);
  useEffect(() => {
    link.current?.setAttribute("href", `javascript:${encodeURIComponent(handOverScript())}`);
  }, []);
  return (
    <Anchor ref={link} href="#" draggable onClick={(event) => event.preventDefault()} className="bookmarklet">
      {name}
    </Anchor>
  );
}

export function PastePanel({ name, onNameChange, isRunning, onSubmit }: PanelProps) {
  const t = useMessages(accountsMessages);
  const [text, setText] = useState("");
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        onSubmit(text);
        setText("");
      }}
    >
      <Stack gap="sm">
        <Textarea
          label={t.paste.label}
          description={t.paste.help}
          placeholder={t.paste.placeholder}
          rows={5}
          spellCheck={false}
          autoComplete="off"
          className="secret-text"
          value={text}
          onChange={({ currentTarget }) => setText(currentTarget.value)}
        />
        <NameInput name={name} onChange={onNameChange} />
        <Group>
          <Button type="submit" loading={isRunning} disabled={text.trim() === ""}>
            {t.paste.submit}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

export function HarPanel({ name, onNameChange, isRunning, onSubmit }: PanelProps) {
  const t = useMessages(accountsMessages);
  const [isDropTarget, setIsDropTarget] = useState(false);
  const [isTooLarge, setIsTooLarge] = useState(false);
  const read = async (file: File | null | undefined) => {
    if (!file) return;
    setIsTooLarge(file.size > largestHar);
    if (file.size <= largestHar) onSubmit(await file.text());
  };
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setIsDropTarget(false);
    void read(event.dataTransfer.files[0]);
  };
  return (
    <Stack gap="sm">
      <Text size="sm">{t.har.text}</Text>
      <NameInput name={name} onChange={onNameChange} />
      {/* biome-ignore lint/a11y/noStaticElementInteractions: a target for a dropped file; the button does the same. */}
      <div
        className={isDropTarget ? "drop-zone drop-zone-active" : "drop-zone"}
        onDragOver={(event) => {
          event.preventDefault();
          setIsDropTarget(true);
        }}
        onDragLeave={() => setIsDropTarget(false)}
        onDrop={drop}
      >
        <FileButton accept=".har,application/json,.json,.txt" onChange={read}>
          {(props) => (
            <Button
              {...props}
              variant="default"
              loading={isRunning}
              leftSection={<Upload size={15} aria-hidden />}
            >
              {t.har.choose}
            </Button>
          )}
        </FileButton>
        <Text size="sm" c="dimmed">
          {t.har.drop}
        </Text>
      </div>
      {isTooLarge && (
        <Failure
          what={t.har.tooLarge}
          why={t.har.tooLarge}
          remedy={t.har.tooLargeRemedy}
          error={new ApiError({ code: "request_too_large", message: t.har.tooLarge })}
        />
      )}
    </Stack>
  );
}

function NameInput({ name, onChange }: { name: string; onChange: (name: string) => void }) {
  const t = useMessages(accountsMessages);
  return (
    <TextInput
      label={t.name}
      description={t.nameHelp}
      value={name}
      maw={320}
      maxLength={64}
      pattern="[A-Za-z0-9._\-]*"
      autoComplete="off"
      onChange={({ currentTarget }) => onChange(currentTarget.value)}
    />
  );
}
