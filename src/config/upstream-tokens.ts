import { parseConfiguredTokens, type TokenSetting } from "../accounts/import/configured-tokens.js";
import type { TokenPair } from "../core/token.js";
import { configMessages } from "../i18n/config-messages.js";
import { tokenNotes } from "../i18n/paste-messages.js";
import type { Message } from "../i18n/text.js";
import { ConfigError } from "./validate.js";

/**
 * The tokens in the settings of one account, understood as `moonbridge login` understands them. `names`: the settings'
 * names in the file. What was left out is added to `warnings`. Throws ConfigError, which quotes no part of a token.
 */
export function readTokens(
  settings: TokenPair,
  names: Readonly<Record<TokenSetting, string>>,
  warnings: Message[],
): TokenPair {
  const result = parseConfiguredTokens(settings);
  if (result.kind === "unusable")
    throw new ConfigError(configMessages.unusableToken(names[result.setting], result.problem));
  warnings.push(...result.notes.map(({ setting, note }) => tokenNotes.ofSetting(names[setting], note)));
  return result.tokens;
}
