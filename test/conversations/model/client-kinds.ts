/** How a client sends its conversation. */
export type ClientKind = {
  name: string;
  /** Share among the conversations. */
  weight: number;
  /** Earlier messages that it sends along with the new one. */
  history: "full" | "none" | number;
  /**
   * Which `conversation_id` it names: never one; the first that it got or the latest; now and then the latest; or,
   * without a history, any that it got, which goes back to where that one ended.
   */
  ids: "never" | "first" | "latest" | "sometimes" | "any";
  /** Its system text: none, that of an assistant of its own with or without a clock, or a common one with a clock. */
  system: "none" | "own" | "own-clock" | "common-clock";
  /** Whether answers are mostly long ones of their own, as in real use, or often short and equal to others'. */
  answers: "real" | "equal";
  /** Sends `x-session-affinity`. */
  affinity?: boolean;
  /** Deletes the oldest messages from time to time. */
  deletesHead?: boolean;
  /** Brings along messages that another service answered. */
  begunElsewhere?: boolean;
  /** Begins with an assistant message that no model wrote. */
  greets?: boolean;
  /** Makes side requests, in the form of this client. */
  side?: "openWebUi" | "nextChat";
  /** Which bound its needless new chats have; `none` where the rule itself asks for new chats. */
  bound: "full" | "window" | "none";
};

const base = { ids: "never", system: "none", answers: "equal", bound: "none" } as const;

export const clientKinds: readonly ClientKind[] = [
  { ...base, name: "full", weight: 4, history: "full", bound: "full" },
  {
    ...base,
    name: "full, own system text",
    weight: 4,
    history: "full",
    system: "own",
    bound: "full",
    side: "openWebUi",
  },
  {
    ...base,
    name: "full, own system, clock",
    weight: 3,
    history: "full",
    system: "own-clock",
    bound: "full",
  },
  {
    ...base,
    name: "full, greeting, own system",
    weight: 3,
    history: "full",
    system: "own",
    greets: true,
    bound: "full",
  },
  { ...base, name: "full, deletes the head", weight: 2, history: "full", deletesHead: true },
  { ...base, name: "full, begun elsewhere", weight: 2, history: "full", begunElsewhere: true, bound: "full" },
  { ...base, name: "full + first id", weight: 2, history: "full", ids: "first", bound: "full" },
  { ...base, name: "full + sometimes an id", weight: 2, history: "full", ids: "sometimes", bound: "full" },
  { ...base, name: "window 2", weight: 2, history: 2, answers: "real", bound: "window" },
  { ...base, name: "window 4", weight: 3, history: 4, answers: "real", bound: "window" },
  { ...base, name: "window 6", weight: 2, history: 6, answers: "real", bound: "window" },
  {
    ...base,
    name: "window 4, NextChat",
    weight: 3,
    history: 4,
    answers: "real",
    system: "common-clock",
    side: "nextChat",
    bound: "window",
  },
  {
    ...base,
    name: "window 4, own system",
    weight: 2,
    history: 4,
    answers: "real",
    system: "own",
    bound: "window",
  },
  { ...base, name: "window 2, equal answers", weight: 5, history: 2 },
  { ...base, name: "window 3, equal answers", weight: 2, history: 3 },
  { ...base, name: "window 4, equal, own system", weight: 3, history: 4, system: "own" },
  { ...base, name: "window 2, begun elsewhere", weight: 5, history: 2, begunElsewhere: true },
  { ...base, name: "window 2, affinity", weight: 2, history: 2, affinity: true },
  { ...base, name: "window 4 + latest id", weight: 2, history: 4, ids: "latest" },
  { ...base, name: "first id", weight: 3, history: "none", ids: "first" },
  { ...base, name: "latest id", weight: 3, history: "none", ids: "latest" },
  { ...base, name: "first id, own system", weight: 2, history: "none", ids: "first", system: "own" },
  { ...base, name: "branches by id", weight: 3, history: "none", ids: "any" },
];
