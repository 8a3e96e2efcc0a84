import { Paper, Text, Title } from "@mantine/core";
import type { RequestTexts as Texts } from "../../api/types.js";
import { useFormat } from "../../i18n/format.js";
import { useMessages } from "../../i18n/language.jsx";
import { requestsMessages } from "../../i18n/requests.js";

/** What was said: as plain text, since it came from outside. */
export function RequestTexts({ texts }: { texts: Texts }) {
  const t = useMessages(requestsMessages);
  const { prompt, prompt_length, earlier_messages, answer, answer_length } = texts;
  return (
    <>
      <SaidText title={t.prompt} text={prompt} length={prompt_length}>
        {earlier_messages > 0 && t.earlierMessages(earlier_messages)}
      </SaidText>
      <SaidText title={t.answer} text={answer} length={answer_length} />
    </>
  );
}

type SaidTextProps = { title: string; text: string; length: number; children?: React.ReactNode };

function SaidText({ title, text, length, children }: SaidTextProps) {
  const t = useMessages(requestsMessages);
  const format = useFormat();
  return (
    <Paper withBorder p="md">
      <Title order={2} size="h5" mb="xs">
        {title}
      </Title>
      {children && (
        <Text size="sm" c="dimmed" mb="xs">
          {children}
        </Text>
      )}
      {text === "" ? (
        <Text size="sm" c="dimmed">
          {t.noText}
        </Text>
      ) : (
        <section aria-label={title} className="said-text">
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a block that scrolls must be reachable by keyboard (WCAG 2.1.1). */}
          <pre tabIndex={0}>{text}</pre>
        </section>
      )}
      {length > text.length && (
        <Text size="sm" c="dimmed" mt="xs">
          {t.textCut(format.number(text.length), format.number(length))}
        </Text>
      )}
    </Paper>
  );
}
