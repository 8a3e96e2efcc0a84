/** The import rule of the house: request → api → chat → upstreams, and nobody looks back. */
const forbid = (name, from, to, comment) => ({
  name,
  severity: "error",
  comment,
  from: { path: from },
  to: { path: to },
});

module.exports = {
  forbidden: [
    { name: "no-circular", severity: "error", from: {}, to: { circular: true } },
    forbid(
      "api-knows-only-chat",
      "^src/api/",
      "^(src/(upstreams|accounts|files|store|server|cli)/|simulator/)",
      "A dialect turns requests into ChatRequest and ChatEvents into bytes; it knows no upstream.",
    ),
    forbid(
      "chat-knows-no-wire",
      "^src/chat/",
      "^(src/(api|upstreams|server|cli)/|simulator/)",
      "chat/ sees upstreams only through the interface in chat/types.ts.",
    ),
    forbid(
      "upstreams-know-no-dialect",
      "^src/upstreams/",
      "^src/(api|server|cli|store)/",
      "An upstream speaks Kimi, never a client's dialect.",
    ),
    {
      name: "below-chat-only-the-vocabulary",
      severity: "error",
      comment: "Of chat/, what stands below it may use the vocabulary and the errors.",
      from: { path: "^src/(upstreams|accounts|files|store)/" },
      to: { path: "^src/chat/", pathNot: "^src/chat/(types|errors)\\.ts$" },
    },
    forbid(
      "accounts-files-store-stay-below",
      "^src/(accounts|files|store)/",
      "^(src/(api|upstreams|server|cli)/|simulator/)",
      "They serve the layers above and know none of them.",
    ),
    forbid(
      "only-the-simulator-upstream-runs-the-simulator",
      "^src/(?!upstreams/simulator\\.ts|cli/)",
      "^simulator/",
      "simulator/ is Kimi, not us.",
    ),
    forbid(
      "simulator-is-kimi-not-us",
      "^simulator/",
      "^src/",
      "A fake that shares our code shares our mistakes.",
    ),
    {
      name: "nobody-imports-server-or-cli",
      severity: "error",
      from: { path: "^(src|simulator)/", pathNot: "^src/(server|cli)/" },
      to: { path: "^src/(server|cli)/" },
    },
    forbid(
      "server-does-not-know-the-cli",
      "^src/server/",
      "^src/cli/",
      "The command line starts the server.",
    ),
    forbid("product-does-not-import-tests", "^(src|simulator)/", "^test/", "Tests stand outside."),
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: { extensions: [".ts", ".js"], conditionNames: ["import", "node", "default"] },
  },
};
