// In place of @google/genai, of which LobeChat's model runtime reads this list for Gemini alone.
export const MediaModality = {};
