/** Characters by which a text can control a terminal or change the order of what is shown: control and bidi characters. */
const controls = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu;

/** The text on one line, each control character as “�”: for text of others on a terminal. */
export function toTerminalLine(text: string): string {
  return text.replace(controls, "�");
}

/** The text of some JSON with all control characters escaped, line feeds between its tokens excepted. */
export function escapeControls(json: string): string {
  return json.replace(controls, (character) =>
    character === "\n" ? character : `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
