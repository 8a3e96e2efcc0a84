import { defineConfig } from "vitest/config";

/** `npm run test:long`: tests that take longer than `npm test` may. */
export default defineConfig({
  test: {
    include: ["test/**/*.long.ts"],
    reporters: ["default", "./test/setup/summary-reporter.ts"],
    globalSetup: ["test/setup/temporary-folder.ts", "test/setup/log-secrets.ts"],
    setupFiles: ["test/setup/fast-check-seed.ts"],
    testTimeout: 30_000,
    hookTimeout: 30_000,
    maxWorkers: 2,
  },
});
