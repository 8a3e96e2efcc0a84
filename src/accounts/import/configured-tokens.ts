import { limits } from "../../core/limits.js";
import type { TokenPair } from "../../core/token.js";
import { pasteMessages, tokenNotes } from "../../i18n/paste-messages.js";
import type { LocalizedText } from "../../i18n/text.js";
import { classifyTokens, isOpaqueToken } from "./classify-tokens.js";
import { explainFailure } from "./explain-failure.js";
import type { KimiToken } from "./token-owner.js";

/** The settings that hold an account's tokens. */
export type TokenSetting = "accessToken" | "refreshToken";

/** Something that a person should know of one of the settings: a clause that follows its name. */
type TokenNote = { setting: TokenSetting; note: LocalizedText };

/** The tokens of the settings, or why they cannot be used. Only `tokens` is secret. */
export type ConfiguredTokens =
  | { kind: "tokens"; tokens: TokenPair; notes: readonly TokenNote[] }
  | { kind: "unusable"; setting: TokenSetting; problem: LocalizedText };

/**
 * Understands what was pasted into the settings of an account as `importLogin` understands a paste: each token counts as
 * what its claims say, whichever setting it is in. Expired tokens are kept, since the store may hold what they were renewed
 * to. A setting without a usable token makes the settings unusable, unless there is a refresh token, which is enough.
 */
export function parseConfiguredTokens(settings: TokenPair, now = Date.now()): ConfiguredTokens {
  const notes: TokenNote[] = [];
  const problems: { setting: TokenSetting; problem: LocalizedText }[] = [];
  const kimiTokens: (KimiToken & { setting: TokenSetting })[] = [];
  let opaqueRefreshToken: string | undefined;
  for (const setting of ["accessToken", "refreshToken"] as const) {
    const text = withoutBearer(settings[setting] ?? "");
    if (settings[setting] === undefined || text === "") continue;
    if (/^(\.{3}|…)$/.test(text)) {
      notes.push({ setting, note: tokenNotes.placeholder });
      continue;
    }
    const result = readSetting(setting, text, now);
    if (result.problem !== undefined) problems.push({ setting, problem: result.problem });
    opaqueRefreshToken ??= result.opaqueRefreshToken;
    kimiTokens.push(...result.tokens.map((token) => ({ ...token, setting })));
  }

  const newestFirst = kimiTokens.sort((a, b) => b.issuedAt - a.issuedAt);
  const sameUser = newestFirst.filter(({ user }) => user === newestFirst[0]?.user);
  const access = sameUser.find(({ kind }) => kind === "access")?.token;
  const refresh = sameUser.find(({ kind }) => kind === "refresh")?.token ?? opaqueRefreshToken;
  const [problem] = problems;
  if (problem && !refresh) return { kind: "unusable", ...problem };
  for (const { setting, problem } of problems) notes.push({ setting, note: tokenNotes.notUsed(problem) });
  const other = newestFirst.find((token) => !sameUser.includes(token));
  if (other)
    notes.push({
      setting: other.setting,
      note: tokenNotes.otherUser,
    });
  if (refresh !== undefined && refresh === opaqueRefreshToken)
    notes.push({ setting: "refreshToken", note: tokenNotes.foreignForm });
  const tokens = {
    ...(access ? { accessToken: access } : {}),
    ...(refresh ? { refreshToken: refresh } : {}),
  };
  return { kind: "tokens", tokens, notes };
}

type SettingContent = {
  tokens: readonly KimiToken[];
  opaqueRefreshToken?: string | undefined;
  problem?: LocalizedText;
};

function readSetting(setting: TokenSetting, text: string, now: number): SettingContent {
  if (Buffer.byteLength(text) > limits.pasted) return { tokens: [], problem: pasteMessages.tooLarge };
  const found = classifyTokens(text);
  const isOpaque = setting === "refreshToken" && isOpaqueToken(text);
  const opaqueRefreshToken = isOpaque ? text : found.opaqueRefreshToken;
  if (found.kimi.length > 0 || opaqueRefreshToken !== undefined)
    return { tokens: found.kimi, opaqueRefreshToken };
  return { tokens: [], problem: explainFailure(text, found, now) };
}

/** Without the `Bearer ` and the quotes that were copied along with a token. */
function withoutBearer(text: string): string {
  return text
    .trim()
    .replace(/^["']|["']$/g, "")
    .replace(/^bearer\s+/i, "");
}
