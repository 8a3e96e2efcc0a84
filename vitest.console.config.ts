import { defineConfig } from "vitest/config";

/** The console in a real Chromium: `npm run test:console`. */
export default defineConfig({
  test: {
    include: ["test/console/**/*.console.ts"],
    globalSetup: [
      "test/setup/temporary-folder.ts",
      "test/setup/log-secrets.ts",
      "test/console/setup/install-chromium.ts",
    ],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
  },
});
