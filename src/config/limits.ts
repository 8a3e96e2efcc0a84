const second = 1_000;
const minute = 60 * second;
const kilobyte = 1_024;
const megabyte = 1_024 * kilobyte;

/** Every bound of the program in one place. Times are milliseconds, sizes bytes. */
export const limits = {
  /** Body of a request; larger ones get `request_too_large`. Pictures arrive inside it as base64. */
  requestBody: 64 * megabyte,
  /** Time for a client to send its whole request. */
  requestReceive: 15 * minute,
  /** Idle time of a client's connection; longer than the 60 s that most proxies keep theirs. */
  keepAliveConnection: 72 * second,

  /** At the end of a shutdown: from the error event to the cut. */
  lastWords: 2 * second,

  /** How long the status line waits for the first word; then it leaves early and keep-alives run. */
  holdHeader: 20 * second,
  /** Silence on a stream after which a keep-alive comment is sent. */
  keepAlive: 15 * second,
  /** A client that takes nothing of its stream for so long is cut off. */
  stuckClient: 10 * minute,
  /** Longest line of an event stream; one-api stops at 64 KiB (clients.md §0.5). */
  eventLine: 60_000,

  /** Connecting to an upstream. */
  connect: 10 * second,
  /** Waiting for an upstream's status line. */
  upstreamHeaders: minute,
  /** Silence of an upstream inside an answer, its heartbeats counted as sound. */
  upstreamSilence: minute,
  /** Heartbeats and nothing else. */
  upstreamProgress: 5 * minute,
  /** A whole answer, from request to finish. */
  answer: 30 * minute,
  /** A short call to an upstream: refresh, catalogue, cancel. */
  unary: 15 * second,
  /** Body of the answer to a short call. */
  unaryBody: 4 * megabyte,
  /** One frame of an answer. Kimi's first frames echo the prompt, so it must hold one (kimi-web.md §2.1). */
  frame: 72 * megabyte,
  /** What may wait for a slow client before the upstream is told to wait too. */
  unreadAnswer: 64 * kilobyte,
  /** What may follow the end frame before the connection is cut instead of kept. */
  afterEnd: kilobyte,
  /** Kimi reading an uploaded file, and how often it is asked. */
  fileParse: minute,
  fileParsePoll: second,
  /** How long the id of an uploaded file is used again. */
  uploadRemembered: 12 * 60 * minute,
  /** All that one answer may say. */
  answerText: 32 * megabyte,
  /** A citation mark that never closes is text again after so many characters. */
  citationMark: 4 * kilobyte,
  /** Sources of one answer. */
  sources: 500,

  /** How long a catalogue is believed. */
  catalogue: 10 * minute,
  /** How long the very first chat waits for the catalogue before it makes do with the built-in one. */
  catalogueWait: 3 * second,
  /** How long a failed catalogue call is not repeated. */
  catalogueRetry: minute,
  /** How long a refused refresh token is not tried again. */
  refusedRefresh: minute,

  /** How often chats that are due are looked for; also the first pause after one could not be deleted. */
  cleanupEvery: minute,
  cleanupLongestPause: 6 * 60 * minute,
  /** Chats that are deleted in one go. */
  cleanupLot: 50,
  /** Places in conversations that are remembered. */
  threads: 1_000_000,

  /** How long a process may hold the lock on an account's renewal. */
  renewalLock: minute,
  /** How often a process looks whether another one has renewed. */
  renewalPoll: 100,

  /** Different unknown things that are remembered by name. */
  driftNames: 200,
} as const;
