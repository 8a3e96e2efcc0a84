import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    reporters: ["default", "./test/tally.ts"],
    // Taken down in reverse: the log is read before its folder goes.
    globalSetup: ["test/room.ts", "test/canary.ts"],
    setupFiles: ["test/seed.ts"],
    testTimeout: 30_000,
    hookTimeout: 30_000,
    // Two cores: more workers only make each other late.
    maxWorkers: 2,
  },
});
