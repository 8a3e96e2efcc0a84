import { SegmentedControl, Stack, Text } from "@mantine/core";
import { useState } from "react";
import type { CompletionRequest } from "../../api/chat/completion-stream.js";
import { CodeBlock } from "../../components/code-block.jsx";
import { chatMessages } from "../../i18n/chat.js";
import { useMessages } from "../../i18n/language.jsx";
import { type CodeLanguage, codeLanguages, requestCode } from "./request-code.js";

export function RequestCode({ request, url }: { request: CompletionRequest | undefined; url: string }) {
  const t = useMessages(chatMessages);
  const [language, setLanguage] = useState<CodeLanguage>("curl");
  return (
    <Stack gap="xs">
      <SegmentedControl
        size="xs"
        aria-label={t.code}
        data={[...codeLanguages]}
        value={language}
        onChange={setLanguage}
      />
      <Text size="xs" c="dimmed">
        {request ? t.codeHint : t.codeEmpty}
      </Text>
      {request && <CodeBlock text={requestCode(language, request, url)} label={language} />}
    </Stack>
  );
}
