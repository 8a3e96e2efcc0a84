import { Button, Group, Modal, Stack, Text } from "@mantine/core";
import type { ReactNode } from "react";
import { commonMessages } from "../i18n/common.js";
import { useMessages } from "../i18n/language.jsx";
import { Failure } from "./failure.jsx";

type ConfirmProps = {
  opened: boolean;
  /** The question, which names the thing. */
  question: string;
  consequence: string;
  action: string;
  failed: string;
  isRunning: boolean;
  error: unknown;
  onConfirm: () => void;
  onClose: () => void;
  children?: ReactNode;
};

/** Asks once before something is destroyed. */
export function Confirm(props: ConfirmProps) {
  const common = useMessages(commonMessages);
  return (
    <Modal
      opened={props.opened}
      onClose={props.onClose}
      title={props.question}
      closeButtonProps={{ "aria-label": common.close }}
    >
      <Stack>
        <Text size="sm">{props.consequence}</Text>
        {props.children}
        {props.error ? <Failure what={props.failed} error={props.error} /> : null}
        <Group justify="flex-end">
          <Button variant="default" onClick={props.onClose}>
            {common.cancel}
          </Button>
          <Button color="red" loading={props.isRunning} onClick={props.onConfirm}>
            {props.action}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
