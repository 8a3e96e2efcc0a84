import type { KnownPrompt, PromptTemplate } from "./known-prompt.js";

/** NextChat, 2023 to 2026, in the languages of its UI that were found (clients.md §2.7). */
const nextChatTopics: readonly PromptTemplate[] = [
  [
    "Please generate a four to five word title summarizing our conversation without any lead-in, punctuation, quotation marks, periods, symbols, ",
    20,
    "or additional text. Remove enclosing quotation marks.",
  ],
  [
    "使用四到五个字直接返回这句话的简要主题，不要解释、不要标点、不要语气词、不要多余文本，",
    10,
    "如果没有主题，请直接返回“闲聊”",
  ],
  ["直接返回这句话的简要主题，不要解释，如果没有主题，请直接返回“闲聊”"],
  [
    "使用四到五個字直接返回這句話的簡要主題，不要解釋、不要標點、不要語氣詞、不要多餘文本，",
    10,
    "如果沒有主題，請直接返回“閒聊”",
  ],
  ["直接返回這句話的簡要主題，", 2, "解釋，", 4, "主題，請直接返回「閒聊」"],
  [
    "4～5文字でこの文章の簡潔な主題を返してください。説明、句読点、感嘆詞、余分なテキストは無しで。もし主題がない場合は、「おしゃべり」を返してください",
  ],
  [
    "Veuillez générer un titre de quatre à cinq mots résumant notre conversation sans introduction, ponctuation, guillemets, points, symboles ou texte supplémentaire. Supprimez les guillemets inclus.",
  ],
];
const nextChatSummaries: readonly PromptTemplate[] = [
  ["Summarize ", 3, " discussion briefly in ", 15, " or less to use as a prompt for future context."],
  ["简要总结一下", 10, "，用作后续的上下文提示 prompt，控制在 ", 3, " 字以内"],
  ["簡要總結一下", 10, "，", 1, "作", 1, "後續的上下文提示 prompt，", 3, "控制在 ", 3, " 字以內"],
  [
    "あなたとユーザの会話を簡潔にまとめて、後続のコンテキストプロンプトとして使ってください。200字以内に抑えてください。",
  ],
  [
    "Résumez brièvement nos discussions en 200 mots ou moins pour les utiliser comme prompt de contexte futur.",
  ],
];
export const nextChat: readonly KnownPrompt[] = [
  ...nextChatTopics.map(
    (template, index): KnownPrompt => ({
      name: `NextChat: topic (${index + 1})`,
      place: "closing",
      template,
    }),
  ),
  ...nextChatSummaries.map(
    (template, index): KnownPrompt => ({
      name: `NextChat: summary (${index + 1})`,
      place: "closing-system",
      template,
    }),
  ),
];
