import { Paper, Stack, Text } from "@mantine/core";
import type { ReactNode } from "react";

/** What a page without content shows: what will be here, and the button that gets there. */
export function Empty({ text, children }: { text: string; children?: ReactNode }) {
  return (
    <Paper withBorder p="xl" className="empty">
      <Stack align="center" gap="md">
        <Text c="dimmed" ta="center" maw={460}>
          {text}
        </Text>
        {children}
      </Stack>
    </Paper>
  );
}
