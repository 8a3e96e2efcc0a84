import type { KnownFields } from "../kimi-shared/unknown-fields.js";

const sourceBase: KnownFields = {
  title: true,
  url: true,
  siteName: true,
  iconUrl: true,
  snippet: true,
  publishTime: true,
};
/** `chunk` is the passage that the model reads. */
const searchChunk: KnownFields = {
  ...sourceBase,
  id: true,
  base: sourceBase,
  refIndex: true,
  chunk: true,
  blockId: true,
};
const stage: KnownFields = { name: true, status: true, createTime: true };
const image: KnownFields = {
  id: true,
  caption: true,
  title: true,
  name: true,
  url: true,
  fullSizeUrl: true,
  width: true,
  height: true,
  state: true,
  source: true,
};
const file: KnownFields = { uri: true, downloadUrl: true, fileName: true, name: true, sizeBytes: true };
const link: KnownFields = { uri: true, url: true, title: true, name: true };
const slides: KnownFields = {
  name: true,
  title: true,
  slidesId: true,
  payloadUrl: true,
  coverUrl: true,
  status: true,
};
const failure: KnownFields = {
  code: true,
  message: true,
  details: true,
  debug: true,
  reason: true,
  severity: true,
  localizedMessage: true,
  paywall: true,
};

/** The fields of each kind of block (kimi-web.md §2.5). Texts and opened pages in a tool's contents are for the model alone. */
const blockKinds: KnownFields = {
  text: { content: true },
  think: { content: true },
  tool: {
    toolCallId: true,
    name: true,
    args: true,
    status: true,
    isError: true,
    errorCode: true,
    loadType: true,
    contentCount: true,
    contents: {
      ...searchChunk,
      searchResult: searchChunk,
      image,
      resourceLink: link,
      slides,
      text: true,
      mutableText: true,
      webOpenUrl: true,
    },
  },
  exception: { ...failure, error: failure },
  error: { ...failure, error: failure },
  search: { keywords: true, webPages: searchChunk },
  memory: { created: true, currentMemoryCount: true, maxMemoryCount: true },
  stage,
  multiStage: { stages: stage },
  artifact: { artifactId: true, type: true, title: true, path: true, content: true, version: true },
  aippt: { title: true, status: true, pptDownloadUrl: true, pdfDownloadUrl: true },
  slidesView: slides,
  resourceLink: link,
};

/** The fields of a block beside its kind. */
const blockFields: KnownFields = { id: true, parentId: true, messageId: true, createTime: true };

/** Whether a field of a block is a kind of block that is used or carries nothing. */
export function isKnownBlockField(name: string): boolean {
  return Object.hasOwn(blockKinds, name) || Object.hasOwn(blockFields, name);
}

/**
 * The fields of the events of a `Chat` call that are used or carry nothing (kimi-web.md §2.5). The unknown kinds of blocks
 * are counted apart.
 */
export const knownContainers = {
  chat: {
    id: true,
    name: true,
    createTime: true,
    updateTime: true,
    // What was sent, again.
    lastRequest: true,
    files: true,
    messageContent: true,
    projectId: true,
    source: true,
    status: true,
    statusText: true,
  },
  message: {
    id: true,
    parentId: true,
    parent_id: true,
    childrenMessageIds: true,
    role: true,
    status: true,
    blocks: true,
    refs: { searchChunks: searchChunk, usedSearchChunks: searchChunk, images: image, sandboxFiles: file },
    scenario: true,
    kimiPlus: true,
    labels: true,
    vote: true,
    isGoal: true,
    createTime: true,
  },
  block: { ...blockFields, ...blockKinds },
  notification: { type: true, message: true, paywall: true },
  ref: { search: { ...searchChunk, webPages: searchChunk } },
  heartbeat: {},
  done: {},
} as const satisfies Record<string, KnownFields>;

/** The fields of an event beside its containers. */
export const eventFields = new Set(["op", "mask", "eventOffset"]);

/** Stages and their statuses, without their prefixes (kimi-web.md §2.5). */
export const stageNames = new Set([
  "RESEARCH",
  "REPORT",
  "OUTLINE",
  "PART_REPORT",
  "FINAL_REPORT",
  "HTML_REPORT",
  "CLARIFY",
  "THINKING",
  "OKC_REACT",
  "SUMMARY",
]);
export const stageStatuses = new Set(["START", "END"]);
