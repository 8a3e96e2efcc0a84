/**
 * The import rule (docs/reference/architecture.md §2), types included:
 * lib ← i18n ← core ← proxy ← {config, store, accounts, files} ← chat ← {api, observability, admin} ← {upstreams, server} ← app ← cli
 */
const levels = [
  ["lib"],
  ["i18n"],
  ["core"],
  ["proxy"],
  ["config", "store", "accounts", "files"],
  ["chat"],
  ["api", "observability", "admin"],
  ["upstreams", "server"],
  ["app"],
  ["cli"],
];

/** What one folder may import of another on its own level; everything else there is forbidden. */
const sameLevel = [
  // The store is opened with the configuration; the others take what they need of it as arguments.
  ["store", "config"],
  // A token in the configuration is understood by the code that understands a pasted one.
  ["config", "accounts"],
  // GET /v1/accounts and /metrics show what the use cases of admin/ report.
  ["api", "admin"],
  ["observability", "admin"],
];

function folder(names) {
  return `^src/(${names.join("|")})/`;
}

const onlyDownwards = levels.slice(0, -1).map((names, level) => ({
  name: `${names.join("-")}-import-only-lower-levels`,
  severity: "error",
  comment: "Imports go to lower levels only.",
  from: { path: folder(names) },
  to: { path: folder(levels.slice(level + 1).flat()) },
}));

const neighbours = levels
  .filter((names) => names.length > 1)
  .flatMap((names) =>
    names.map((name) => {
      const allowed = sameLevel.filter(([from]) => from === name).map(([, to]) => to);
      return {
        name: `${name}-does-not-know-its-neighbours`,
        severity: "error",
        comment: "Folders of one level do not import each other, except as listed in `sameLevel`.",
        from: { path: folder([name]) },
        to: { path: folder(names.filter((other) => other !== name && !allowed.includes(other))) },
      };
    }),
  );

module.exports = {
  forbidden: [
    ...onlyDownwards,
    ...neighbours,
    { name: "no-circular-files", severity: "error", from: {}, to: { circular: true } },
    {
      name: "no-circular-folders",
      severity: "error",
      scope: "folder",
      from: { path: "^src/[^/]+$" },
      to: { circular: true },
    },
    {
      name: "every-file-has-a-level",
      severity: "error",
      comment: "A new folder under src/ gets its place in `levels`.",
      from: { path: "^src/", pathNot: folder(levels.flat()) },
      to: {},
    },
    {
      name: "api-and-upstreams-never-meet",
      severity: "error",
      comment: "A dialect knows no upstream, an upstream no dialect.",
      from: { path: folder(["upstreams"]) },
      to: { path: folder(["api"]) },
    },
    {
      name: "only-app-opens-things",
      severity: "error",
      comment: "The command line parses arguments and prints; app/ opens the store, upstreams and server.",
      from: { path: folder(["cli"]) },
      to: {
        path: folder(["upstreams", "store", "chat", "files", "api"]),
        pathNot: "^src/store/errors\\.ts$",
      },
    },
    {
      name: "stores-are-opened-in-one-place",
      severity: "error",
      comment: "src/store/open-store.ts knows the kinds of store; everybody else knows the Store interface.",
      from: { path: "^(src|simulator|test)/", pathNot: "^(src|test)/store/" },
      to: { path: "^src/store/sqlite/" },
    },
    {
      name: "who-runs-the-simulator",
      severity: "error",
      comment:
        "The simulator is a fake Kimi, not a part of the gateway: one upstream and one command start it.",
      from: { path: "^src/", pathNot: "^src/(upstreams/simulator/upstream|cli/simulate)\\.ts$" },
      to: { path: "^simulator/" },
    },
    {
      name: "simulator-imports-nothing-of-src",
      severity: "error",
      comment: "A fake that shares code with the gateway shares its mistakes.",
      from: { path: "^simulator/" },
      to: { path: "^src/" },
    },
    {
      name: "console-knows-the-api-only",
      severity: "error",
      comment: "The console knows the server by its OpenAPI document (console/src/api/schema.d.ts).",
      from: { path: "^console/" },
      to: { path: "^(src|simulator)/" },
    },
    {
      name: "console-pages-are-the-top",
      severity: "error",
      comment: "api ← i18n ← components ← pages: what several pages share is a component.",
      from: { path: "^console/src/(api|i18n|components)/" },
      to: { path: "^console/src/pages/" },
    },
    {
      name: "console-api-shows-nothing",
      severity: "error",
      from: { path: "^console/src/(api|i18n)/" },
      to: { path: "^console/src/components/" },
    },
    {
      name: "product-does-not-import-tests",
      severity: "error",
      from: { path: "^(src|simulator|console)/" },
      to: { path: "^(test|bench)/" },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: { extensions: [".ts", ".js"], conditionNames: ["import", "node", "default"] },
  },
};
