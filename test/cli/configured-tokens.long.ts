import { describe } from "vitest";
import { testConfiguredTokens } from "./configured-tokens.js";

describe("an account of kind kimi-legacy answers", () => testConfiguredTokens("kimi-legacy"));
