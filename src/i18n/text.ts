/** The languages of the command line. The API answers in English only. */
export const languages = ["en", "zh"] as const;
export type Language = (typeof languages)[number];

/** A text for people, in every language. */
export type LocalizedText = Readonly<Record<Language, string>>;

/** A text for people; a string is shown as it is, such as the English words of a service. */
export type Message = LocalizedText | string;

export function text(en: string, zh: string): LocalizedText {
  return { en, zh };
}

/** For what is the same in every language: names, paths, and English texts of others. */
export function untranslated(same: string): LocalizedText {
  return { en: same, zh: same };
}

/** The message in every language. */
export function localize(message: Message): LocalizedText {
  return typeof message === "string" ? untranslated(message) : message;
}

/** Sentences one after the other; Chinese ones need no space between them. */
export function joinSentences(...sentences: readonly LocalizedText[]): LocalizedText {
  return text(sentences.map(({ en }) => en).join(" "), sentences.map(({ zh }) => zh).join(""));
}
