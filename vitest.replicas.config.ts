import { defineConfig } from "vitest/config";

/** `npm run test:replicas`: several processes on one real Redis. */
export default defineConfig({
  test: {
    include: ["test/**/*.replicas.ts"],
    reporters: ["default", "./test/setup/summary-reporter.ts"],
    globalSetup: [
      "test/setup/temporary-folder.ts",
      "test/setup/log-secrets.ts",
      "test/setup/install-redis.ts",
    ],
    setupFiles: ["test/setup/fast-check-seed.ts"],
    testTimeout: 30_000,
    hookTimeout: 30_000,
    maxWorkers: 2,
  },
});
