import { limits } from "../core/limits.js";
import type { AnswerLimits, ChatRequest, Feature, ToolMode, Upstream } from "../core/types.js";
import type { LongPromptOptions } from "./long-prompts.js";
import { maxFormatLength } from "./structured-output/format-prompt.js";
import { StructuredOutput } from "./structured-output/structured-output.js";
import { maxTellingLength } from "./tools/tool-section.js";
import { ToolTransform, type ToolTransformOptions } from "./tools/tool-transform.js";
import { ToolsOffNotice } from "./tools/tools-off.js";
import { AnswerLimiter } from "./transforms/answer-limits.js";
import type { Transform } from "./transforms/transform.js";

/** The features that Moonbridge adds to an upstream without them, by `emulatingTransforms`. */
export function emulatedFeatures(
  { features }: Pick<Upstream, "features">,
  toolMode: ToolMode,
): ReadonlySet<Feature> {
  const always = ["max-tokens", "stop", "output-format"] as const;
  const possible: Feature[] = [...always, ...(toolMode === "emulate" ? (["tools"] as const) : [])];
  return new Set(possible.filter((feature) => !features.has(feature)));
}

/**
 * The transforms of a turn that emulate features of its upstream. Throws `invalid_request` for functions or a format that
 * cannot be.
 */
export function emulatingTransforms(
  request: ChatRequest,
  upstream: Pick<Upstream, "features">,
  { toolMode, tools }: { toolMode: ToolMode; tools: ToolTransformOptions },
): Transform[] {
  const emulated = emulatedFeatures(upstream, toolMode);
  const { responseFormat } = request;
  const format =
    responseFormat && emulated.has("output-format")
      ? new StructuredOutput(request, responseFormat)
      : undefined;
  const isWithoutTools = !upstream.features.has("tools") && !emulated.has("tools");
  return [
    ...limitsAndFormat(emulated.has("stop") ? request.limits : undefined, format),
    ...(emulated.has("tools") ? [new ToolTransform(request, tools)] : []),
    ...(request.tools && isWithoutTools ? [new ToolsOffNotice()] : []),
    ...(format ? [format.teller] : []),
  ];
}

/** A text to stop at counts in the JSON, not in words around it; tokens are those that the model writes. */
function limitsAndFormat(
  answerLimits: AnswerLimits | undefined,
  format: StructuredOutput | undefined,
): Transform[] {
  if (!format) return answerLimits ? [new AnswerLimiter(answerLimits)] : [];
  const { stop, maxTokens } = answerLimits ?? {};
  return [
    ...(stop === undefined ? [] : [new AnswerLimiter({ stop })]),
    format.reader,
    ...(maxTokens === undefined ? [] : [new AnswerLimiter({ maxTokens })]),
  ];
}

/**
 * How long the conversation in a prompt may be beside what the transforms add to it; undefined for an upstream that takes no
 * files, and thus no longer prompt in another way.
 */
export function longPromptOptions(
  request: ChatRequest,
  upstream: Pick<Upstream, "features" | "upload" | "capabilities">,
  { toolMode, tools }: { toolMode: ToolMode; tools: ToolTransformOptions },
): LongPromptOptions | undefined {
  if (!upstream.upload) return undefined;
  const emulated = emulatedFeatures(upstream, toolMode);
  const declared = emulated.has("tools") ? (request.tools ?? []) : [];
  const isTold = declared.length > 0 && request.toolChoice !== "none";
  const added =
    (isTold ? maxTellingLength(declared, request.toolChoice) : 0) +
    (emulated.has("output-format") ? maxFormatLength(request.responseFormat) : 0);
  const prompt = upstream.capabilities?.has("long-prompt") ? limits.longPromptText : limits.promptText;
  return {
    // Even beside very many functions a part of the conversation is sent.
    conversation: Math.max(prompt / 2, prompt - added),
    oldResult: isTold ? tools.maxOldResultCharacters : undefined,
    isEscaped: declared.length > 0,
    prompt,
  };
}
