import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { defineConfig, type Plugin } from "vite";

const output = fileURLToPath(new URL("../dist/console", import.meta.url));

/** Where a gateway runs while the console is developed with `npx vite console`. */
const gateway = process.env.MOONBRIDGE_URL ?? "http://127.0.0.1:6867";

export default defineConfig({
  root: fileURLToPath(new URL(".", import.meta.url)),
  // The page may be served below a path prefix of a proxy.
  base: "./",
  // The server puts a new value in its place with every page (src/server/console-files.ts).
  html: { cspNonce: "STYLE_NONCE" },
  build: {
    outDir: output,
    emptyOutDir: true,
    assetsDir: "console",
    // The policy of the page allows pictures of its own files only.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    chunkSizeWarningLimit: 1_000,
    rolldownOptions: {
      // "use client" of the components means nothing in a page that has no server side.
      onLog: (level, log, print) => {
        if (log.code !== "MODULE_LEVEL_DIRECTIVE") print(level, log);
      },
    },
  },
  server: { proxy: { "/v1": gateway } },
  plugins: [compressAssets()],
});

/** Writes `<file>.br` and `<file>.gz` beside each asset, which the server sends as they are. */
function compressAssets(): Plugin {
  return {
    name: "compress-assets",
    apply: "build",
    closeBundle() {
      const folder = join(output, "console");
      for (const name of readdirSync(folder).filter((each) => /\.(js|css|svg)$/.test(each))) {
        const bytes = readFileSync(join(folder, name));
        writeFileSync(join(folder, `${name}.br`), brotliCompressSync(bytes));
        writeFileSync(join(folder, `${name}.gz`), gzipSync(bytes, { level: 9 }));
      }
    },
  };
}
