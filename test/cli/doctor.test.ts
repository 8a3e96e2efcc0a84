import { randomBytes } from "node:crypto";
import { chmodSync, writeFileSync } from "node:fs";
import { createServer, type RequestListener, type Server } from "node:http";
import { join } from "node:path";
import { onTestFinished, expect as real, test } from "vitest";
import { type Simulator, type SimulatorOptions, startSimulator } from "../../simulator/index.js";
import { createKey } from "../../src/server/keys.js";
import { SqliteStore } from "../../src/store/sqlite.js";
import { version } from "../../src/version.js";
import { until } from "../gateway.js";
import { json, startPlatform, stream } from "../upstreams/openai/platform.js";
import { chatsOnKimi } from "../conversations/dialogue.js";
import { freshFolder, run, writeConfig } from "./process.js";

const expect = real;
type Found = { what: string; state: string; detail: string; remedy?: string };

const longKey = "sk-CANARY-key-of-more-than-32-characters";
