import { Alert, Menu } from "@mantine/core";
import { Ellipsis, Unplug } from "lucide-react";
import type { ReactNode } from "react";
import { Link, useLocation } from "wouter";
import { serverUrl } from "./api/client.js";
import { useEventConnection } from "./api/events.jsx";
import { Mark } from "./components/mark.jsx";
import { Preferences } from "./components/preferences.jsx";
import { useMessages } from "./i18n/language.jsx";
import { shellMessages } from "./i18n/shell.js";
import { navigation } from "./navigation.js";

/** The frame of all pages: navigation at the left, on a phone at the bottom; and what concerns every page. */
export function Shell({ children }: { children: ReactNode }) {
  const t = useMessages(shellMessages);
  const connection = useEventConnection();
  return (
    <div className="shell">
      <button type="button" className="skip" onClick={() => document.getElementById("content")?.focus()}>
        {t.skip}
      </button>
      <SideNavigation />
      <header className="shell-top">
        <Brand />
        <div className="shell-preferences">
          <Preferences />
        </div>
      </header>
      <main className="shell-main" id="content" tabIndex={-1}>
        {connection === "lost" && (
          <div className="shell-notices">
            <Alert color="yellow" icon={<Unplug aria-hidden />} p="xs" role="status">
              {t.lost}
            </Alert>
          </div>
        )}
        {children}
      </main>
      <BottomBar />
    </div>
  );
}

function Brand() {
  return (
    <Link href="/" className="shell-brand">
      <Mark />
      Moonbridge
    </Link>
  );
}

function useIsCurrent() {
  const [location] = useLocation();
  return (path: string) => location === path || (path !== "/" && location.startsWith(`${path}/`));
}

function SideNavigation() {
  const t = useMessages(shellMessages);
  const isCurrent = useIsCurrent();
  return (
    <nav className="shell-nav" aria-label={t.navigation}>
      <Brand />
      {navigation.map(({ page, path, icon: Icon }) => (
        <Link key={path} href={path} className="nav-link" aria-current={isCurrent(path) ? "page" : undefined}>
          <Icon size={18} aria-hidden />
          {t.pages[page]}
        </Link>
      ))}
      <div className="shell-foot">
        <Preferences />
      </div>
    </nav>
  );
}

function BottomBar() {
  const t = useMessages(shellMessages);
  const isCurrent = useIsCurrent();
  const further = navigation.filter(({ isInBottomBar }) => !isInBottomBar);
  return (
    <nav className="bottom-bar" aria-label={t.navigation}>
      {navigation
        .filter(({ isInBottomBar }) => isInBottomBar)
        .map(({ page, path, icon: Icon }) => (
          <Link
            key={path}
            href={path}
            className="bottom-link"
            aria-current={isCurrent(path) ? "page" : undefined}
          >
            <Icon size={20} aria-hidden />
            {t.pages[page]}
          </Link>
        ))}
      <Menu position="top-end" withinPortal={false}>
        <Menu.Target>
          <button
            type="button"
            className="bottom-link"
            aria-current={further.some(({ path }) => isCurrent(path)) ? "page" : undefined}
          >
            <Ellipsis size={20} aria-hidden />
            {t.more}
          </button>
        </Menu.Target>
        <Menu.Dropdown>
          {further.map(({ page, path, icon: Icon }) => (
            <Menu.Item key={path} component={Link} href={path} leftSection={<Icon size={16} aria-hidden />}>
              {t.pages[page]}
            </Menu.Item>
          ))}
          <Menu.Item component="a" href={`${serverUrl}docs`}>
            {t.docs}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
    </nav>
  );
}
