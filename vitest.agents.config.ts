import { defineConfig } from "vitest/config";

/** `npm run test:agents`: coding agents as programs of their own, which test/agents/package.json installs. */
export default defineConfig({
  test: {
    include: ["test/**/*.agent.ts"],
    reporters: ["default", "./test/setup/summary-reporter.ts"],
    globalSetup: [
      "test/setup/temporary-folder.ts",
      "test/setup/log-secrets.ts",
      "test/agents/setup/install-agents.ts",
    ],
    testTimeout: 260_000,
    hookTimeout: 180_000,
    // An agent starts for seconds on two cores; more at once end at their own time limits.
    maxWorkers: 1,
  },
});
