/** How models begin to refuse a prompt that they take for an injection; in front the simulator says what it is. */
const beginning =
  /^\s*(?:\([^)]{1,20}\)\s*)?(?:i (?:notice|see|can't|cannot|can’t|won't|won’t|am not able|will not|need to)|i'm|i’m|sorry|this (?:message|request|prompt|looks|appears|seems)|the (?:message|request|prompt)|it (?:looks|seems|appears)|抱歉|对不起|我(?:注意到|不能|无法|不会)|这(?:条|段|个|看)|看起来|检测到)/i;
const refusal = /prompt[- ]injection|injection attack|jailbreak|提示词?注入|注入攻击|越狱/i;
/** So many characters are enough to know. */
const [beginningLength, refusalLength] = [40, 400];

/**
 * Whether the beginning of an answer refuses the prompt as an injection. `maybe`: more of it is needed to know; an answer
 * that ends there is none.
 */
export function refusalState(text: string): "yes" | "no" | "maybe" {
  if (text.length < beginningLength && !refusal.test(text)) return "maybe";
  if (!beginning.test(text)) return "no";
  if (refusal.test(text.slice(0, refusalLength))) return "yes";
  return text.length < refusalLength ? "maybe" : "no";
}
