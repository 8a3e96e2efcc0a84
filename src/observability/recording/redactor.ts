import { isObject, type JsonObject } from "../../lib/json.js";
import { Filler, withoutWords } from "./masked-text.js";
import { isId, isLink, type StandIns } from "./pseudonyms.js";
import { isWireWord, type Place } from "./wire-vocabulary.js";

const removed = "[removed]";
const secretField = /token|authorization|cookie|secret|password|captcha|credential|signature/i;
const tokenStart = "eyJ";
const token = /eyJ[\w-]{10,}(\.[\w-]*)*|\bsk-[\w-]{16,}/g;

const idField = /(^|[a-z_])(id|ids|Id|Ids)$|^(sub|ssid|refs|object_name|checksum)$/;
/** Ids of blocks and of search results count within one answer. */
const smallId = /^\d{1,6}(_\d{1,6})?$/;
const personalField = /^(phone|mobile|number|email|nick_?name|user_?name|avatar)$/i;
const signedField = /^(signUrl|previewUrl|(mobile)?thumbnailUrl|avatar)$/i;
const signature = /[?&](x-amz-|x-tos-|sig|signature|token|expires)[^=]*=/i;
const fieldName = /^[A-Za-z_$@][\w.-]{0,59}$/;
/** Fields that an answer is told in, piece by piece. */
const toldField = /^(content|text|args)$/;

/** Numbers from here on may be somebody's. */
const telling = 1_000_000;

/**
 * Takes a person out of one body of Kimi's: tokens, ids, names and addresses always, texts unless they are wanted. What
 * stays is what is known to be the protocol's; whatever is new to us counts as a text, but for the name of its field.
 */
export class Redactor {
  readonly #standIns: StandIns;
  readonly #keepsTexts: boolean;
  readonly #filler = new Filler();
  readonly #run = new TokenRun();

  constructor(standIns: StandIns, keepsTexts: boolean) {
    this.#standIns = standIns;
    this.#keepsTexts = keepsTexts;
  }

  json(value: unknown): unknown {
    return this.#value(value, { field: "", within: "", holder: {} });
  }

  /** A text that is no JSON. What was meant to be and was cut short cannot be told apart, and is not kept. */
  text(text: string): string {
    const isKept = this.#keepsTexts && !/^\s*[{[]/.test(text);
    return isKept ? text.replace(token, removed) : this.#filler.fill(text);
  }

  #value(value: unknown, place: Place): unknown {
    if (typeof value === "string") return this.#string(value, place);
    if (typeof value === "number") return Math.abs(value) < telling ? value : roundNumber(value);
    if (Array.isArray(value)) return value.map((item) => this.#value(item, place));
    if (!isObject(value)) return value;
    return this.#object(value, place.field);
  }

  #object(holder: JsonObject, within: string): JsonObject {
    const entries = Object.entries(holder);
    return Object.fromEntries(
      entries.map(([field, value]) => [this.#name(field), this.#value(value, { field, within, holder })]),
    );
  }

  #string(value: string, place: Place): string {
    const { field, within } = place;
    if (value === "") return value;
    if (secretField.test(field) || secretField.test(within)) return removed;
    if (isWireWord(value, place)) return value.replace(token, removed);
    if (isSigned(value, place)) return this.#standIns.address(value);
    if (idField.test(field)) return smallId.test(value) ? value : this.#standIns.id(value);
    if (isPersonal(place)) return withoutWords(value);
    if (this.#keepsTexts) return this.#withoutTokens(value, field);
    if (isId(value)) return this.#standIns.id(value);
    if (isLink(value)) return this.#standIns.link(value);
    return this.#nested(value, place) ?? (toldField.test(field) ? this.#filler : new Filler()).fill(value);
  }

  #withoutTokens(text: string, field: string): string {
    return (toldField.test(field) ? this.#run.cut(text) : text).replace(token, removed);
  }

  /** The arguments of a tool are JSON inside a string, and keep their fields where they come in one piece. */
  #nested(text: string, { field, within }: Place): string | undefined {
    if (field !== "args" || !text.startsWith("{")) return undefined;
    try {
      return JSON.stringify(this.#value(JSON.parse(text), { field, within, holder: {} }));
    } catch {
      return undefined;
    }
  }

  /** The name of a field stays, unless it is none: a map has whatever its keys are. */
  #name(field: string): string {
    if (isId(field)) return this.#standIns.id(field);
    if (fieldName.test(field)) return field.replace(token, removed);
    return this.#keepsTexts ? field.replace(token, removed) : withoutWords(field);
  }
}

function isSigned(value: string, { field, holder }: Place): boolean {
  if (signedField.test(field) || (field === "url" && "object_name" in holder)) return true;
  return /^https?:\/\/\S+$/.test(value) && signature.test(value);
}

/** Names of people and files; that of a chat is a text. */
function isPersonal({ field, within }: Place): boolean {
  return personalField.test(field) || (/^(file_?)?name$/i.test(field) && within !== "chat");
}

function roundNumber(value: number): number {
  return Math.sign(value) * 10 ** Math.floor(Math.log10(Math.abs(value)));
}

/** Finds a token that is spelled out over several pieces of a text. */
class TokenRun {
  /** The beginning of the word that the text stands in. */
  #start = "";

  cut(text: string): string {
    return text.replace(/[\w.-]+|[^\w.-]+/g, (run) => {
      if (!/^[\w.-]/.test(run)) {
        this.#start = "";
        return run;
      }
      const known = this.#start.length;
      this.#start = (this.#start + run).slice(0, tokenStart.length);
      if (this.#start !== tokenStart) return run;
      return run.slice(0, tokenStart.length - known).padEnd(run.length, "x");
    });
  }
}
