import { ActionIcon, Tooltip } from "@mantine/core";
import { useClipboard } from "@mantine/hooks";
import { Check, Copy } from "lucide-react";
import { commonMessages } from "../i18n/common.js";
import { useMessages } from "../i18n/language.jsx";

/** Copies `text`. `label` names what is copied, for screen readers. */
export function CopyButton({ text, label }: { text: string; label?: string }) {
  const { copy, copied } = useMessages(commonMessages);
  const clipboard = useClipboard({ timeout: 1_500 });
  const state = clipboard.copied ? copied : copy;
  return (
    <Tooltip label={state}>
      <ActionIcon
        variant="subtle"
        color="gray"
        aria-label={label === undefined ? state : `${state}: ${label}`}
        onClick={() => clipboard.copy(text)}
      >
        {clipboard.copied ? <Check size={16} aria-hidden /> : <Copy size={16} aria-hidden />}
      </ActionIcon>
    </Tooltip>
  );
}
