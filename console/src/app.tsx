import { Button, Center, Loader } from "@mantine/core";
import { lazy, Suspense, useEffect, useRef } from "react";
import { Link, Route, Router, Switch } from "wouter";
import { useHashLocation } from "wouter/use-hash-location";
import { EventsProvider } from "./api/events.jsx";
import type { LoginAddress } from "./api/login-address.js";
import { useLogin, useSession } from "./api/session.js";
import { Empty } from "./components/empty.jsx";
import { Failure } from "./components/failure.jsx";
import { useMessages } from "./i18n/language.jsx";
import { shellMessages } from "./i18n/shell.js";
import { LoginPage } from "./pages/login.jsx";
import { OverviewPage } from "./pages/overview/overview.jsx";
import { Shell } from "./shell.jsx";

const AccountsPage = lazy(() => import("./pages/accounts/accounts.jsx"));
const ChatPage = lazy(() => import("./pages/chat/chat.jsx"));
const ClientsPage = lazy(() => import("./pages/clients/clients.jsx"));
const HealthPage = lazy(() => import("./pages/health/health.jsx"));
const KeysPage = lazy(() => import("./pages/keys/keys.jsx"));
const RequestsPage = lazy(() => import("./pages/requests/requests.jsx"));
const UsagePage = lazy(() => import("./pages/usage/usage.jsx"));

/** The console: a login, or the pages. `loginAddress`: what stood in the address. */
export function App({ loginAddress }: { loginAddress: LoginAddress }) {
  const session = useSession();
  const code = useCodeLogin(loginAddress.code);
  if (code.isRunning || session.state === "signed out")
    return <LoginPage code={code} issuerError={loginAddress.issuerError} />;
  return (
    <Router hook={useHashLocation}>
      {session.state === "signed in" ? (
        <EventsProvider>
          <Shell>
            <Pages />
          </Shell>
        </EventsProvider>
      ) : (
        <Shell>{session.state === "unreachable" ? <Unreachable error={session.error} /> : <Loading />}</Shell>
      )}
    </Router>
  );
}

/** Logs in with the code of the address, once. */
function useCodeLogin(code: string | undefined): { isRunning: boolean; error: unknown } {
  const { mutate, isPending, isIdle, error } = useLogin();
  const isTried = useRef(false);
  useEffect(() => {
    if (code === undefined || isTried.current) return;
    isTried.current = true;
    mutate({ code });
  }, [code, mutate]);
  return { isRunning: isPending || (code !== undefined && isIdle), error };
}

function Pages() {
  return (
    <Suspense fallback={<Loading />}>
      <Switch>
        <Route path="/" component={OverviewPage} />
        <Route path="/accounts" component={AccountsPage} />
        <Route path="/chat" component={ChatPage} />
        <Route path="/keys" component={KeysPage} />
        <Route path="/clients/:client?" component={ClientsPage} />
        <Route path="/requests/:id?" component={RequestsPage} />
        <Route path="/usage" component={UsagePage} />
        <Route path="/health" component={HealthPage} />
        <Route component={NoSuchPage} />
      </Switch>
    </Suspense>
  );
}

function Loading() {
  const t = useMessages(shellMessages);
  return (
    <Center p="xl">
      <Loader aria-label={t.loading} role="status" />
    </Center>
  );
}

function Unreachable({ error }: { error: unknown }) {
  const t = useMessages(shellMessages);
  return <Failure what={t.unreachable} error={error} />;
}

function NoSuchPage() {
  const t = useMessages(shellMessages);
  return (
    <Empty text={t.noSuchPage}>
      <Button component={Link} href="/">
        {t.toOverview}
      </Button>
    </Empty>
  );
}
