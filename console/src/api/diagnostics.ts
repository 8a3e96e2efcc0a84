import { EventSourceParserStream } from "eventsource-parser/stream";
import { useRef, useState } from "react";
import { type Language, useLanguage } from "../i18n/language.jsx";
import { ApiError, toApiError } from "./api-error.js";
import { send } from "./client.js";
import type { Finding } from "./types.js";

type Run =
  | { state: "idle" }
  | { state: "running" | "done" | "stopped"; findings: readonly Finding[] }
  | { state: "failed"; findings: readonly Finding[]; error: ApiError };

/** Runs the checks of `moonbridge doctor`; each finding is there as soon as it is made. */
export function useDiagnostics() {
  const [run, setRun] = useState<Run>({ state: "idle" });
  const { language } = useLanguage();
  const controller = useRef<AbortController>(undefined);
  const startController = () => {
    controller.current = new AbortController();
    return controller.current;
  };
  const start = async () => {
    const { signal } = startController();
    let findings: readonly Finding[] = [];
    setRun({ state: "running", findings });
    try {
      for await (const finding of streamFindings(language, signal)) {
        findings = [...findings, finding];
        setRun({ state: "running", findings });
      }
      setRun({ state: "done", findings });
    } catch (error) {
      setRun(
        signal.aborted
          ? { state: "stopped", findings }
          : { state: "failed", findings, error: toApiError(error) },
      );
    }
  };
  return { run, start, stop: () => controller.current?.abort() };
}

/** Throws ApiError if the stream breaks off before the event `end`. */
async function* streamFindings(language: Language, signal: AbortSignal): AsyncGenerator<Finding> {
  const headers = { "content-type": "application/json" };
  const body = JSON.stringify({ stream: true, language });
  const response = await send("v1/admin/diagnostics", { method: "POST", headers, body, signal });
  const reader = response.body
    ?.pipeThrough(new TextDecoderStream())
    .pipeThrough(new EventSourceParserStream())
    .getReader();
  for (;;) {
    const result = await reader?.read();
    if (!result || result.done)
      throw new ApiError({ code: "unreachable", message: "The connection broke before the last check." });
    if (result.value.event === "end") return;
    if (result.value.event === "finding") yield JSON.parse(result.value.data);
  }
}
