import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    reporters: ["default", "./test/setup/summary-reporter.ts"],
    // Taken down in reverse: the log is read before its folder goes.
    globalSetup: ["test/setup/temporary-folder.ts", "test/setup/log-secrets.ts"],
    setupFiles: ["test/setup/fast-check-seed.ts"],
    testTimeout: 60_000,
    hookTimeout: 30_000,
    // Files of one worker share what they have loaded: loading the server anew for each takes a third of the whole time.
    isolate: false,
    // For two cores: the tests spend a third of their time waiting. More workers make each other late.
    maxWorkers: 3,
  },
});
