import { Group, Text } from "@mantine/core";
import {
  CircleCheck,
  CircleDot,
  CircleSlash,
  CircleX,
  Clock,
  Gauge,
  Hourglass,
  KeyRound,
  type LucideIcon,
  TriangleAlert,
} from "lucide-react";
import type { Account, Finding, RequestEntry } from "../api/types.js";
import { commonMessages } from "../i18n/common.js";
import { useMessages } from "../i18n/language.jsx";

export type State = Account["state"] | Finding["state"] | "succeeded" | "failed" | "cancelled" | "running";

const good = "var(--state-good)";
const attention = "var(--state-attention)";
const bad = "var(--state-bad)";
const quiet = "var(--mantine-color-dimmed)";

const looks: Record<State, { icon: LucideIcon; colour: string }> = {
  ok: { icon: CircleCheck, colour: good },
  expiring: { icon: Clock, colour: attention },
  busy: { icon: Hourglass, colour: attention },
  limited: { icon: Gauge, colour: attention },
  quota: { icon: Gauge, colour: bad },
  "login required": { icon: KeyRound, colour: bad },
  unavailable: { icon: CircleX, colour: bad },
  warn: { icon: TriangleAlert, colour: attention },
  fail: { icon: CircleX, colour: bad },
  succeeded: { icon: CircleCheck, colour: good },
  failed: { icon: CircleX, colour: bad },
  cancelled: { icon: CircleSlash, colour: quiet },
  running: { icon: CircleDot, colour: "var(--mantine-primary-color-filled)" },
};

/** A state as an icon and a word. */
export function StateLabel({ state }: { state: State }) {
  const { states } = useMessages(commonMessages);
  const { icon: Icon, colour } = looks[state];
  return (
    <Group gap={6} wrap="nowrap" display="inline-flex">
      <Icon size={16} color={colour} aria-hidden />
      <Text span size="sm">
        {states[state]}
      </Text>
    </Group>
  );
}

export const outcomeStates: Record<RequestEntry["outcome"], State> = {
  ok: "succeeded",
  failed: "failed",
  cancelled: "cancelled",
};
