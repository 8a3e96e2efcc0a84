import "@mantine/core/styles.css";
import "./console.css";
import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { createRoot } from "react-dom/client";
import { takeLoginAddress } from "./api/login-address.js";
import { App } from "./app.jsx";
import { LanguageProvider } from "./i18n/language.jsx";
import { cssVariables, theme } from "./theme.js";

declare global {
  /** The nonce that `react-style-singleton` of Mantine's dialogs gives to its `<style>` element. */
  var __webpack_nonce__: string | undefined;
}

const styleNonce = document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]')?.nonce ?? "";
globalThis.__webpack_nonce__ = styleNonce;

const loginAddress = takeLoginAddress();
// A page of Kimi's that hands over its login opens /connect.
if (location.pathname.endsWith("/connect") && location.hash.length < 3) location.hash = "#/accounts";
const queryClient = new QueryClient({
  defaultOptions: {
    queries: { retry: false, staleTime: 5_000, networkMode: "always" },
    mutations: { networkMode: "always" },
  },
});
const root = document.getElementById("root");
if (root)
  createRoot(root).render(
    <MantineProvider
      theme={theme}
      cssVariablesResolver={cssVariables}
      defaultColorScheme="auto"
      getStyleNonce={() => styleNonce}
    >
      <QueryClientProvider client={queryClient}>
        <LanguageProvider>
          <App loginAddress={loginAddress} />
        </LanguageProvider>
      </QueryClientProvider>
    </MantineProvider>,
  );
