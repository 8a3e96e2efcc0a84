import { Group, Stack, Text, Title } from "@mantine/core";
import { type ReactNode, useEffect } from "react";

type PageProps = {
  title: string;
  intro?: ReactNode;
  actions?: ReactNode;
  wide?: boolean;
  children: ReactNode;
};

/** A page: its title, one sentence about it, what can be done, and its content in one column. */
export function Page({ title, intro, actions, wide = false, children }: PageProps) {
  useEffect(() => {
    document.title = `${title} · Moonbridge`;
  }, [title]);
  return (
    <Stack gap="lg" className={wide ? "page page-wide" : "page"}>
      <Group justify="space-between" align="flex-start" gap="sm">
        <div className="page-heading">
          <Title order={1} size="h2">
            {title}
          </Title>
          {intro !== undefined && (
            <Text c="dimmed" size="sm" mt={4}>
              {intro}
            </Text>
          )}
        </div>
        {actions !== undefined && <Group gap="xs">{actions}</Group>}
      </Group>
      {children}
    </Stack>
  );
}
