import { gunzipSync } from "node:zlib";

// A client of Kimi's web chat that is written from docs/protocol/kimi-web.md alone. It imports neither the product nor the
// simulator, so that a mistake which both share is found.

type Json = Record<string, unknown>;
type Tokens = { accessToken: string; refreshToken: string };

/** A source of an answer: the address and title of a search result (kimi-web.md §2.6). */
type Source = { title: string; url: string };

/** What the stream of an answer says in the end (kimi-web.md §2.5). */
export type WebAnswer = {
  chatId: string;
  chatName: string;
  userId: string;
  messageId: string;
  parentId: string;
  /** The final status of the answer, such as `MESSAGE_STATUS_COMPLETED`. */
  status: string;
  text: string;
  thinking: string;
  queries: string[];
  sources: Source[];
  /** The attached files as `chat.files` shows them. */
  files: Json[];
  heartbeats: number;
};

export type WebQuestion = {
  thinking?: boolean;
  search?: boolean;
  /** Ids of uploaded files. */
  files?: string[];
  /** The answer to continue after. */
  after?: WebAnswer;
  /** Called once the ids of the chat and of the answer are known. */
  onOpened?: (ids: { chatId: string; messageId: string }) => void;
};

/** Thrown for an error of the protocol: `code` is Connect's, `reason` Kimi's (kimi-web.md §2.9). */
export class WebError extends Error {
  readonly code: string;
  readonly reason: string;

  constructor(error: unknown) {
    const { code, message, details } = toObject(error);
    const [detail] = Array.isArray(details) ? details : [];
    super(String(message ?? code));
    this.code = String(code);
    this.reason = String(toObject(toObject(detail).debug).reason ?? "");
  }
}

/** Renews its access token by itself when Kimi refuses it. */
export class WebClient {
  readonly #url: string;
  #tokens: Tokens;

  /** `url` is both the site and the account gateway. */
  constructor(url: string, tokens: Tokens) {
    this.#url = url;
    this.#tokens = tokens;
  }

  /** Asks a question and reads the answer to its end (kimi-web.md §2.4–§2.6). Throws WebError. */
  async ask(text: string, question: WebQuestion = {}): Promise<WebAnswer> {
    const { thinking = false, search = false, files = [], after, onOpened } = question;
    const body = {
      ...(after ? { chat_id: after.chatId } : {}),
      scenario: "SCENARIO_CHAT",
      tools: search ? [{ type: "TOOL_TYPE_SEARCH", search: {} }] : [],
      message: {
        ...(after ? { parent_id: after.messageId } : {}),
        role: "user",
        blocks: [
          { message_id: "", text: { content: text } },
          ...files.map((id) => ({ file: { id, status: "PROCESS_STATUS_SUCCESS" } })),
        ],
        scenario: "SCENARIO_CHAT",
        is_goal: false,
      },
      options: {
        thinking,
        enable_plugin: false,
        reasoning_effort: thinking ? "REASONING_EFFORT_LOW" : "REASONING_EFFORT_NONE",
        model: "k2d6-chat",
      },
      project_id: "",
    };
    return this.#withRenewal(() => this.#readAnswer(body, onOpened));
  }

  /** Cancels a running answer (kimi-web.md §2.7). */
  async cancel(ids: { chatId: string; messageId: string }): Promise<void> {
    const body = { chat_id: ids.chatId, message_id: ids.messageId };
    await this.#call("/apiv2/kimi.gateway.chat.v1.ChatService/CancelChat", body);
  }

  /** The ids of all chats, read page by page (kimi-web.md §2.10). */
  async listChats(pageSize = 50): Promise<string[]> {
    const ids: string[] = [];
    let pageToken: unknown = "";
    do {
      const page = await this.#call("/apiv2/kimi.gateway.chat.v1.ChatService/ListChats", {
        project_id: "",
        page_size: pageSize,
        page_token: pageToken,
        query: "",
      });
      ids.push(...toObjects(page.chats).map(({ id }) => String(id)));
      pageToken = page.nextPageToken;
    } while (pageToken);
    return ids;
  }

  /** The messages of a chat, newest first (kimi-web.md §2.10). */
  async listMessages(chatId: string): Promise<Json[]> {
    const body = { chat_id: chatId, page_size: 100 };
    const page = await this.#call("/apiv2/kimi.gateway.chat.v1.ChatService/ListMessages", body);
    return toObjects(page.messages);
  }

  async deleteChat(chatId: string): Promise<void> {
    await this.#call("/apiv2/kimi.chat.v1.ChatService/DeleteChat", { chat_id: chatId });
  }

  /** Uploads a file and waits until it is parsed; returns its id (kimi-web.md §2.8). Throws WebError. */
  async upload(name: string, type: string, content: string): Promise<string> {
    const form = new FormData();
    form.append("file", new Blob([content], { type }), name);
    const file = await this.#withRenewal(async () => {
      const response = await this.#post("/apiv2-files/file/upload", {}, form);
      return toObject((await readUnary(response)).file);
    });
    const id = String(file.id);
    for (let polls = 0; polls < 10; polls++) {
      const { progresses } = await this.#call(
        "/apiv2-files/kimi.gateway.file.v1.FileService/GetFileParseProgress",
        { file_ids: [id] },
      );
      const [progress] = toObjects(progresses);
      if (progress?.status === "PROCESS_STATUS_SUCCESS") return id;
      if (progress?.status === "PROCESS_STATUS_FAILED") break;
    }
    throw new Error(`${name} was not parsed`);
  }

  /** Exchanges the refresh token for a new pair (kimi-web.md §2.3). Throws WebError. */
  async refresh(): Promise<void> {
    const response = await fetch(`${this.#url}/api/account.gateway.v1.AuthService/RefreshToken`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ refresh_token: this.#tokens.refreshToken }),
    });
    const { accessToken, refreshToken } = await readUnary(response);
    this.#tokens = { accessToken: String(accessToken), refreshToken: String(refreshToken) };
  }

  #call(path: string, body: Json): Promise<Json> {
    return this.#withRenewal(async () =>
      readUnary(await this.#post(path, { "content-type": "application/json" }, JSON.stringify(body))),
    );
  }

  async #readAnswer(body: Json, onOpened: WebQuestion["onOpened"]): Promise<WebAnswer> {
    const payload = Buffer.from(JSON.stringify(body));
    const header = Buffer.alloc(5);
    header.writeUInt32BE(payload.length, 1);
    const response = await this.#post(
      "/apiv2/kimi.gateway.chat.v1.ChatService/Chat",
      { "content-type": "application/connect+json" },
      Buffer.concat([header, payload]),
    );
    if (!response.ok || !response.body) throw new WebError(await response.json());
    const reader = new AnswerReader(onOpened);
    let rest = Buffer.alloc(0);
    for await (const chunk of response.body) {
      rest = Buffer.concat([rest, chunk]);
      while (rest.length >= 5 && rest.length >= 5 + rest.readUInt32BE(1)) {
        const end = 5 + rest.readUInt32BE(1);
        const content = rest.subarray(5, end);
        const flags = rest.readUInt8(0);
        reader.read(flags, (flags & 1 ? gunzipSync(content) : content).toString());
        rest = rest.subarray(end);
      }
    }
    return reader.finish();
  }

  async #withRenewal<T>(call: () => Promise<T>): Promise<T> {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof WebError) || error.code !== "unauthenticated") throw error;
      await this.refresh();
      return call();
    }
  }

  #post(path: string, headers: Record<string, string>, body: string | Buffer | FormData): Promise<Response> {
    return fetch(this.#url + path, {
      method: "POST",
      headers: {
        authorization: `Bearer ${this.#tokens.accessToken}`,
        "connect-protocol-version": "1",
        "x-msh-platform": "web",
        "x-msh-version": "2.3.0",
        "x-language": "en-US",
        ...headers,
      },
      body,
    });
  }
}

/** Applies the events of a stream by the rules of kimi-web.md §2.5. */
class AnswerReader {
  readonly #onOpened: WebQuestion["onOpened"];
  readonly #blocks = new Map<string, { kind: string; content: string }>();
  readonly #answer = {
    chatId: "",
    chatName: "",
    userId: "",
    messageId: "",
    parentId: "",
    status: "",
    queries: [] as string[],
    sources: [] as Source[],
    files: [] as Json[],
    heartbeats: 0,
  };
  #lastOffset = 0;
  #hasTrailer = false;

  constructor(onOpened: WebQuestion["onOpened"]) {
    this.#onOpened = onOpened;
  }

  read(flags: number, payload: string): void {
    if (this.#hasTrailer) throw new Error("a frame after the trailer");
    const event = toObject(JSON.parse(payload));
    if (flags & 2) {
      this.#hasTrailer = true;
      if (event.error) throw new WebError(event.error);
      return;
    }
    this.#checkOffset(event);
    if (event.heartbeat) this.#answer.heartbeats++;
    else if (event.chat) this.#readChat(toObject(event.chat));
    else if (event.message) this.#readMessage(toObject(event.message));
    else if (event.block) this.#readBlock(toObject(event.block), event.op === "append");
    else if (!event.done && !event.notification) throw new Error(`an unknown event: ${payload}`);
  }

  finish(): WebAnswer {
    if (!this.#hasTrailer) throw new Error("the stream has no trailer");
    return { ...this.#answer, text: this.#join("text"), thinking: this.#join("think") };
  }

  /** Offsets count 1, 2, 3 …; a heartbeat repeats the last one. */
  #checkOffset({ eventOffset, heartbeat }: Json): void {
    if (heartbeat && eventOffset === undefined) return;
    const expected = heartbeat ? this.#lastOffset : this.#lastOffset + 1;
    if (eventOffset !== expected) throw new Error(`eventOffset ${eventOffset} instead of ${expected}`);
    this.#lastOffset = expected;
  }

  #readChat({ id, name, files }: Json): void {
    this.#answer.chatId ||= String(id ?? "");
    if (name !== undefined) this.#answer.chatName = String(name);
    this.#answer.files.push(...toObjects(files));
  }

  #readMessage({ id, role, parentId, status, refs }: Json): void {
    const { searchChunks } = toObject(refs);
    this.#addSources(toObjects(searchChunks));
    if (role === "user") Object.assign(this.#answer, { userId: id, parentId });
    if (role === "assistant") {
      this.#answer.messageId = String(id);
      this.#onOpened?.({ chatId: this.#answer.chatId, messageId: this.#answer.messageId });
    }
    if (status !== undefined && id === this.#answer.messageId) this.#answer.status = String(status);
  }

  #readBlock(block: Json, isAppended: boolean): void {
    if (block.exception) throw new WebError({ code: "exception", details: [{ debug: block.exception }] });
    for (const kind of ["text", "think"]) {
      if (!(kind in block)) continue;
      const content = String(toObject(block[kind]).content ?? "");
      const before = isAppended ? (this.#blocks.get(String(block.id))?.content ?? "") : "";
      this.#blocks.set(String(block.id), { kind, content: before + content });
    }
    const { args, contents, status } = toObject(block.tool);
    if (status === "STATUS_RUNNING") {
      const { queries } = toObject(JSON.parse(String(args)));
      this.#answer.queries.push(...(Array.isArray(queries) ? queries.map(String) : []));
    }
    this.#addSources(toObjects(contents).map(({ searchResult }) => toObject(searchResult)));
  }

  #addSources(chunks: Json[]): void {
    for (const { base } of chunks) {
      const { title, url } = toObject(base);
      const isKnown = this.#answer.sources.some((source) => source.url === url);
      if (url !== undefined && !isKnown)
        this.#answer.sources.push({ title: String(title), url: String(url) });
    }
  }

  #join(kind: string): string {
    return [...this.#blocks.values()].map((block) => (block.kind === kind ? block.content : "")).join("");
  }
}

async function readUnary(response: Response): Promise<Json> {
  const body = toObject(await response.json());
  if (!response.ok) throw new WebError(body);
  return body;
}

function toObject(value: unknown): Json {
  return typeof value === "object" && value !== null ? Object.fromEntries(Object.entries(value)) : {};
}

function toObjects(value: unknown): Json[] {
  return Array.isArray(value) ? value.map(toObject) : [];
}
