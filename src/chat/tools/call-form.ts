/** A call in the form asked for, in one line. `args` is JSON in one line with our tag escaped. */
export function writeCall(name: string, args: string, word: string): string {
  return `<call-${word}>{"name":${JSON.stringify(name)},"arguments":${args}}</call-${word}>`;
}

/** How a call is written, for descriptions and reminders: the values are left open. */
export function callForm(word: string): string {
  return `<call-${word}>{"name":"…","arguments":{…}}</call-${word}>`;
}
