import { randomInt } from "node:crypto";
import { isObject, type JsonObject, parseObject } from "../../lib/json.js";

/**
 * What one upstream chat has been told of the client's functions, as it is after a turn. It is saved as JSON with the
 * turn's node, so that turns which branch off go on from their own parent's state.
 */
export type ToolState = {
  /** The word of the chat's tag for calls: four characters [a-z0-9]. */
  word: string;
  /**
   * By the client's name of a function: the digest of what was told of it, with `~` at the end if that was its signature
   * alone. Empty: the section was not sent.
   */
  told: Readonly<Record<string, string>>;
  /** By the client's name: the name that the model knows, where it is another one. */
  aliases: Readonly<Record<string, string>>;
  /** Turns, and characters of the chat, since all signatures were sent. */
  turns: number;
  characters: number;
  /** The model may have read what no message of the client's has, such as the results of a search. */
  hasUnseen?: true;
};

/** The state of a new chat, which was told of nothing. */
export function createToolState(): ToolState {
  return { word: createWord(), told: {}, aliases: {}, turns: 0, characters: 0 };
}

/** Parses a saved state; undefined if anything about it is not as it was written. */
export function parseToolState(json: string): ToolState | undefined {
  const state = parseObject(json);
  if (!state) return undefined;
  const { word, turns, characters } = state;
  const told = parseTexts(state.told);
  const aliases = parseTexts(state.aliases);
  if (typeof word !== "string" || !wordPattern.test(word) || !told || !aliases) return undefined;
  if (!isCount(turns) || !isCount(characters)) return undefined;
  const hasUnseen = state.hasUnseen === true;
  return { word, told, aliases, turns, characters, ...(hasUnseen ? { hasUnseen } : {}) };
}

const wordPattern = /^[a-z0-9]{4}$/;
const wordCharacters = "abcdefghijkmnpqrstuvwxyz23456789";

/** A digit and a letter at least, so that it is no word of a language: `<call-back>` may be a tag of a document. */
function createWord(): string {
  for (;;) {
    const characters = Array.from({ length: 4 }, () =>
      wordCharacters.charAt(randomInt(wordCharacters.length)),
    );
    const word = characters.join("");
    if (/\d/.test(word) && /[a-z]/.test(word)) return word;
  }
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function parseTexts(value: unknown): Record<string, string> | undefined {
  return isObject(value) && hasTexts(value) ? value : undefined;
}

function hasTexts(value: JsonObject): value is Record<string, string> {
  return Object.values(value).every((text) => typeof text === "string");
}
