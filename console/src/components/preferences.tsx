import { ActionIcon, type MantineColorScheme, Menu, Tooltip, useMantineColorScheme } from "@mantine/core";
import { Check, Languages, LogOut, Moon, Sun } from "lucide-react";
import { useLogout, useSession } from "../api/session.js";
import { type Language, languages, useLanguage, useMessages } from "../i18n/language.jsx";
import { shellMessages } from "../i18n/shell.js";

const schemes: readonly MantineColorScheme[] = ["light", "dark", "auto"];

/** Language, colours, and the way out. */
export function Preferences() {
  const t = useMessages(shellMessages);
  const { language, setLanguage } = useLanguage();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const isSignedIn = useSession().state === "signed in";
  const logout = useLogout();
  return (
    <>
      <Menu position="top-start">
        <Menu.Target>
          <ActionIcon variant="subtle" color="gray" aria-label={t.language} size="lg">
            <Languages size={18} aria-hidden />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          {Object.entries(languages).map(([code, name]) => (
            <Menu.Item
              key={code}
              lang={code === "zh" ? "zh-CN" : code}
              rightSection={code === language ? <Check size={14} aria-hidden /> : null}
              onClick={() => setLanguage(code as Language)}
            >
              {name}
            </Menu.Item>
          ))}
        </Menu.Dropdown>
      </Menu>
      <Menu position="top-start">
        <Menu.Target>
          <ActionIcon variant="subtle" color="gray" aria-label={t.colours.label} size="lg">
            {colorScheme === "dark" ? <Moon size={18} aria-hidden /> : <Sun size={18} aria-hidden />}
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          {schemes.map((scheme) => (
            <Menu.Item
              key={scheme}
              rightSection={scheme === colorScheme ? <Check size={14} aria-hidden /> : null}
              onClick={() => setColorScheme(scheme)}
            >
              {t.colours[scheme]}
            </Menu.Item>
          ))}
        </Menu.Dropdown>
      </Menu>
      {isSignedIn && (
        <Tooltip label={t.logout}>
          <ActionIcon
            variant="subtle"
            color="gray"
            aria-label={t.logout}
            size="lg"
            loading={logout.isPending}
            onClick={() => logout.mutate()}
          >
            <LogOut size={18} aria-hidden />
          </ActionIcon>
        </Tooltip>
      )}
    </>
  );
}
