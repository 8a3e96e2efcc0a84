#!/usr/bin/env node
import { isNodeSupported, minimumNodeVersion } from "../lib/node-version.js";

const { node } = process.versions;
// The program and its libraries cannot even be loaded by an older version.
if (isNodeSupported(node)) {
  await import("./program.js");
} else {
  const minimum = minimumNodeVersion.join(".");
  process.stderr.write(`moonbridge: Node.js ${node} is too old. Install version ${minimum} or newer.\n`);
  process.exitCode = 1;
}
