import { useEffect, useRef, useState } from "react";
import { toApiError } from "../../api/api-error.js";
import { type CompletionEvent, streamCompletion } from "../../api/chat/completion-stream.js";
import {
  type AnswerMessage,
  type ChatSettings,
  type Conversation,
  failedState,
  type Message,
  newAnswer,
  newConversation,
  toRequest,
  type UserMessage,
} from "../../api/chat/conversation.js";
import { loadConversations, saveConversations } from "../../api/chat/saved-conversations.js";

/** An event of the last answer as it came, and when: milliseconds since the request was sent. */
export type RawEvent = { number: number; atMs: number; data: string };

const largestTitle = 60;
const largestRawEvents = 2_000;

/** The conversations of this browser, the shown one, and its running answer. */
export function useChat(settings: ChatSettings) {
  const [conversations, setConversations] = useState(loadConversations);
  const [current, setCurrent] = useState(() => conversations[0] ?? newConversation());
  const [rawEvents, setRawEvents] = useState<RawEvent[]>([]);
  const running = useRef<AbortController>(undefined);
  const isStreaming = isAnswering(current.messages.at(-1));

  useEffect(() => {
    if (current.messages.length === 0 || isStreaming) return;
    setConversations((others) => {
      const all = [current, ...others.filter(({ id }) => id !== current.id)];
      saveConversations(all);
      return all;
    });
  }, [current, isStreaming]);
  useEffect(() => () => running.current?.abort(), []);

  async function answer(messages: Message[]) {
    const controller = new AbortController();
    running.current?.abort();
    running.current = controller;
    setRawEvents([]);
    const startedAt = performance.now();
    const elapsed = () => Math.round(performance.now() - startedAt);
    let shown = newAnswer(settings.model);
    const show = (change: Partial<AnswerMessage>) => {
      shown = { ...shown, ...change };
      setCurrent((conversation) => ({
        ...conversation,
        title: conversation.title || titleOf(messages),
        messages: [...messages, shown],
      }));
    };
    show({});
    const onEvent = (event: CompletionEvent) => {
      if (controller.signal.aborted) return;
      if (event.type === "raw")
        setRawEvents((events) =>
          [...events, { number: events.length + 1, atMs: elapsed(), data: event.data }].slice(
            0,
            largestRawEvents,
          ),
        );
      else show({ ...applied(shown, event), firstWordMs: shown.firstWordMs ?? firstWord(event, elapsed) });
    };
    try {
      await streamCompletion(toRequest(messages, settings), onEvent, controller.signal);
      show({ state: { name: "done" }, totalMs: elapsed() });
    } catch (error) {
      const state = controller.signal.aborted
        ? ({ name: "stopped" } as const)
        : failedState(toApiError(error));
      if (running.current === controller) show({ state, totalMs: elapsed() });
    }
  }

  function open(conversation: Conversation) {
    running.current?.abort();
    running.current = undefined;
    setRawEvents([]);
    setCurrent(conversation);
  }

  return {
    conversations,
    current,
    rawEvents,
    isStreaming,
    send: (message: UserMessage) => answer([...current.messages, message]),
    /** Replaces the message at `index`; what followed it is gone. */
    edit: (index: number, message: UserMessage) => answer([...current.messages.slice(0, index), message]),
    /** Asks for the answer at `index` once more. */
    regenerate: (index: number) => answer(current.messages.slice(0, index)),
    stop: () => running.current?.abort(),
    open,
    startNew: () => open(newConversation()),
    remove: (id: string) => {
      const others = conversations.filter((each) => each.id !== id);
      saveConversations(others);
      setConversations(others);
      if (current.id === id) open(newConversation());
    },
  };
}

function isAnswering(message: Message | undefined): boolean {
  return message?.role === "assistant" && message.state.name === "streaming";
}

function titleOf([first]: readonly Message[]): string {
  const text = first?.role === "user" ? first.text || (first.attachments[0]?.name ?? "") : "";
  return text.replace(/\s+/g, " ").slice(0, largestTitle);
}

function firstWord(event: CompletionEvent, elapsed: () => number): number | undefined {
  return event.type === "text" || event.type === "reasoning" ? elapsed() : undefined;
}

function applied(answer: AnswerMessage, event: CompletionEvent): Partial<AnswerMessage> {
  switch (event.type) {
    case "text":
      return { text: answer.text + event.text };
    case "reasoning":
      return { reasoning: answer.reasoning + event.text };
    case "sources":
      return { sources: [...answer.sources, ...event.sources] };
    case "searches":
      return { searches: [...answer.searches, ...event.queries] };
    case "usage":
      return { usage: event.usage };
    case "finish":
    case "raw":
      return {};
  }
}
