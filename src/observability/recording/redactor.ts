import { isObject, type JsonObject } from "../../lib/json.js";
import { isProtocolValue, type ValuePosition } from "./protocol-values.js";
import { isId, isMaskableLink, type Pseudonyms } from "./pseudonyms.js";
import { maskLetters, TextMasker } from "./text-masker.js";

const removedText = "[removed]";
const secretField = /token|authorization|cookie|secret|password|captcha|credential|signature/i;
const tokenStart = "eyJ";
const tokenPattern = /eyJ[\w-]{10,}(\.[\w-]*)*|\bsk-[\w-]{16,}/g;

const idField = /(^|[a-z_])(id|ids|Id|Ids)$|^(sub|ssid|refs|object_name|checksum)$/;
/** Ids of blocks and search results, which count within one answer and do not identify a person. */
const smallId = /^\d{1,6}(_\d{1,6})?$/;
const personalField = /^(phone|mobile|number|email|nick_?name|user_?name|avatar)$/i;
const signedField = /^(signUrl|previewUrl|(mobile)?thumbnailUrl|avatar)$/i;
const signature = /[?&](x-amz-|x-tos-|sig|signature|token|expires)[^=]*=/i;
const fieldNamePattern = /^[A-Za-z_$@][\w.-]{0,59}$/;
/** Fields whose text arrives in deltas. */
const streamedField = /^(content|text|args)$/;

/** Numbers from this size on may identify a person and are rounded to a power of ten. */
const identifyingNumber = 1_000_000;

/**
 * Redacts one body: tokens, ids, names and signed URLs always, texts unless `keepsTexts`. An allow-list: only values
 * known to belong to the protocol stay, and an unknown string counts as text. Names of unknown fields stay.
 */
export class Redactor {
  readonly #pseudonyms: Pseudonyms;
  readonly #keepsTexts: boolean;
  readonly #masker = new TextMasker();
  readonly #tokenScanner = new SplitTokenScanner();

  constructor(pseudonyms: Pseudonyms, keepsTexts: boolean) {
    this.#pseudonyms = pseudonyms;
    this.#keepsTexts = keepsTexts;
  }

  /** Redacts a JSON value field by field. */
  json(value: unknown): unknown {
    return this.#value(value, { field: "", parentField: "", parent: {} });
  }

  /** Redacts text that is not JSON. Truncated JSON cannot be redacted by field and is masked in any case. */
  text(text: string): string {
    const isKept = this.#keepsTexts && !/^\s*[{[]/.test(text);
    return isKept ? text.replace(tokenPattern, removedText) : this.#masker.mask(text);
  }

  #value(value: unknown, position: ValuePosition): unknown {
    if (typeof value === "string") return this.#string(value, position);
    if (typeof value === "number") return Math.abs(value) < identifyingNumber ? value : roundNumber(value);
    if (Array.isArray(value)) return value.map((item) => this.#value(item, position));
    if (!isObject(value)) return value;
    return this.#object(value, position.field);
  }

  #object(object: JsonObject, parentField: string): JsonObject {
    const entries = Object.entries(object);
    return Object.fromEntries(
      entries.map(([field, value]) => [
        this.#fieldName(field),
        this.#value(value, { field, parentField, parent: object }),
      ]),
    );
  }

  #string(value: string, position: ValuePosition): string {
    const { field, parentField } = position;
    if (value === "") return value;
    if (secretField.test(field) || secretField.test(parentField)) return removedText;
    if (isProtocolValue(value, position)) return value.replace(tokenPattern, removedText);
    if (isSigned(value, position)) return this.#pseudonyms.signedUrl(value);
    if (idField.test(field)) return smallId.test(value) ? value : this.#pseudonyms.id(value);
    if (isPersonal(position)) return maskLetters(value);
    if (this.#keepsTexts) return this.#withoutTokens(value, field);
    if (isId(value)) return this.#pseudonyms.id(value);
    if (isMaskableLink(value)) return this.#pseudonyms.link(value);
    return (
      this.#nestedJson(value, position) ??
      (streamedField.test(field) ? this.#masker : new TextMasker()).mask(value)
    );
  }

  #withoutTokens(text: string, field: string): string {
    return (streamedField.test(field) ? this.#tokenScanner.redact(text) : text).replace(
      tokenPattern,
      removedText,
    );
  }

  /** Tool arguments are JSON inside a string; complete ones keep their field names. */
  #nestedJson(text: string, { field, parentField }: ValuePosition): string | undefined {
    if (field !== "args" || !text.startsWith("{")) return undefined;
    try {
      return JSON.stringify(this.#value(JSON.parse(text), { field, parentField, parent: {} }));
    } catch {
      return undefined;
    }
  }

  /** Keeps identifiers; the keys of a map may be ids or texts and are redacted as such. */
  #fieldName(field: string): string {
    if (isId(field)) return this.#pseudonyms.id(field);
    if (fieldNamePattern.test(field)) return field.replace(tokenPattern, removedText);
    return this.#keepsTexts ? field.replace(tokenPattern, removedText) : maskLetters(field);
  }
}

function isSigned(value: string, { field, parent }: ValuePosition): boolean {
  if (signedField.test(field) || (field === "url" && "object_name" in parent)) return true;
  return /^https?:\/\/\S+$/.test(value) && signature.test(value);
}

/** True for names of people and files. A chat's name is its title, which counts as text. */
function isPersonal({ field, parentField }: ValuePosition): boolean {
  return personalField.test(field) || (/^(file_?)?name$/i.test(field) && parentField !== "chat");
}

function roundNumber(value: number): number {
  return Math.sign(value) * 10 ** Math.floor(Math.log10(Math.abs(value)));
}

/** Finds a token that is split over several deltas. */
class SplitTokenScanner {
  /** The first characters of the current word, across deltas. */
  #wordStart = "";

  redact(text: string): string {
    return text.replace(/[\w.-]+|[^\w.-]+/g, (run) => {
      if (!/^[\w.-]/.test(run)) {
        this.#wordStart = "";
        return run;
      }
      const known = this.#wordStart.length;
      this.#wordStart = (this.#wordStart + run).slice(0, tokenStart.length);
      if (this.#wordStart !== tokenStart) return run;
      return run.slice(0, tokenStart.length - known).padEnd(run.length, "x");
    });
  }
}
