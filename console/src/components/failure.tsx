import { Alert, Button, Group, Text } from "@mantine/core";
import { CircleX } from "lucide-react";
import type { ReactNode } from "react";
import { toApiError } from "../api/api-error.js";
import { commonMessages } from "../i18n/common.js";
import { failureMessages } from "../i18n/failures.js";
import { useMessages } from "../i18n/language.jsx";

type FailureProps = {
  /** What did not work. */
  what: string;
  error: unknown;
  /** For a cause that the caller knows better than the error's code tells. */
  why?: string;
  remedy?: string;
  onRetry?: (() => void) | undefined;
  /** Further buttons. */
  children?: ReactNode;
};

/** A failure in three lines: what happened, why, what to do; with a button where a button can do it. */
export function Failure({ what, error, why, remedy, onRetry, children }: FailureProps) {
  const common = useMessages(commonMessages);
  const failures = useMessages(failureMessages);
  const { code, message, requestId } = toApiError(error);
  const explanation = failures.byCode[code];
  const cause = why ?? explanation?.why;
  return (
    <Alert color="red" variant="light" icon={<CircleX aria-hidden />} title={what} role="alert">
      <Text size="sm">
        <b>{common.why}: </b>
        {cause ?? message}
      </Text>
      {code !== "unreachable" && cause !== undefined && cause !== message && (
        <Text size="sm" className="server-words">
          {message} <code>{code}</code>
        </Text>
      )}
      <Text size="sm">
        <b>{common.remedy}: </b>
        {remedy ?? explanation?.remedy ?? failures.other}
      </Text>
      {requestId !== undefined && (
        <Text size="xs" className="server-words">
          {common.requestId(requestId)}
        </Text>
      )}
      {(onRetry || children) && (
        <Group mt="xs" gap="xs">
          {onRetry && (
            <Button size="xs" variant="default" onClick={onRetry}>
              {common.retry}
            </Button>
          )}
          {children}
        </Group>
      )}
    </Alert>
  );
}
