import { Button, Paper, Stack, Text, Title } from "@mantine/core";
import { ArrowLeft } from "lucide-react";
import { Link, useParams } from "wouter";
import { Page } from "../../components/page.jsx";
import { clientsMessages } from "../../i18n/clients.js";
import { useMessages } from "../../i18n/language.jsx";
import { RecipeView } from "./recipe-view.jsx";
import { agents } from "./recipes/agents.js";
import { programs } from "./recipes/programs.js";
import type { RecipeGroup } from "./recipes/recipe.js";
import { uis } from "./recipes/uis.js";

const recipes = [...uis, ...agents, ...programs];
const groups: readonly RecipeGroup[] = ["ui", "agent", "program"];

/** All clients, or how one of them is connected. */
export default function ClientsPage() {
  const t = useMessages(clientsMessages);
  const { client } = useParams<{ client?: string }>();
  const recipe = recipes.find(({ id }) => id === client);
  if (!recipe)
    return (
      <Page title={t.title} intro={t.intro}>
        {groups.map((group) => (
          <Stack key={group} gap="xs">
            <Title order={2} size="h4">
              {t.groups[group]}
            </Title>
            <div className="client-grid">
              {recipes
                .filter((each) => each.group === group)
                .map(({ id, name }) => (
                  <Paper
                    key={id}
                    withBorder
                    component={Link}
                    href={`/clients/${id}`}
                    p="sm"
                    className="client-card"
                  >
                    <Text size="sm" fw={600}>
                      {name}
                    </Text>
                  </Paper>
                ))}
            </div>
          </Stack>
        ))}
      </Page>
    );
  const back = (
    <Button
      component={Link}
      href="/clients"
      variant="default"
      leftSection={<ArrowLeft size={15} aria-hidden />}
    >
      {t.back}
    </Button>
  );
  return (
    <Page title={recipe.name} actions={back}>
      <RecipeView key={recipe.id} recipe={recipe} />
    </Page>
  );
}
