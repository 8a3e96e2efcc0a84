const second = 1_000;
const minute = 60 * second;
const day = 24 * 60 * minute;
const kilobyte = 1_024;
const megabyte = 1_024 * kilobyte;

/** All limits and time-outs. Times are milliseconds, sizes bytes, unless a comment names another unit. */
export const limits = {
  /** Request body; a larger one gets `request_too_large`. Images arrive inside it as base64. */
  requestBody: 64 * megabyte,
  /** JSON values in a request body, and nesting depth: more would take seconds to parse. */
  bodyValues: 300_000,
  bodyDepth: 100,
  /** Messages of one request. */
  messages: 20_000,
  /** Characters of text in the messages of one request; more than any model's context. */
  messageText: 10_000_000,
  /**
   * Characters of one prompt to Kimi; what is above them travels as a file. One of 513,619 failed, one of 440,000 passed
   * (kimi-web.md §6 row 8).
   */
  promptText: 400_000,
  /** The same for an account that is known to take a longer one (docs/protocol/capabilities.md, `long-prompt`). */
  longPromptText: 450_000,
  /** Links of a prompt that are wrapped for Kimi's legacy protocol, which takes 54 characters each. */
  wrappedLinks: 200,
  /** Characters of the note that refers to that file. */
  promptFileNote: 1_000,
  /** Turns at the end of a conversation that stay in the prompt if they fit. */
  promptTurns: 4,
  /** Characters of a message's beginning, and of its end, that stay in the prompt if the message is too long for it. */
  longMessageEnds: 20_000,
  /**
   * The bodies of all running requests together, or a quarter of the heap if that is less: an eighth for bodies of at
   * most `smallBody`, five for larger ones, two for the values of bodies with unusually many.
   */
  bodyMemory: 256 * megabyte,
  /** Memory of one parsed value. */
  bodyValueBytes: 80,
  smallBody: megabyte,
  /** How long a request waits for memory for its body before it gets `server_busy`. */
  bodyWait: 30 * second,
  /** A body that grows by less than `bodyStallBytes` in this time is refused while others wait for its memory. */
  bodyStallWindow: 10 * second,
  bodyStallBytes: megabyte,
  /** How long the rest of a refused body is read, so that the client gets the response. */
  refusedBody: 30 * second,
  /** Request bodies of more bytes are parsed one after the other, with event-loop iterations between. */
  bodyYieldLength: 256 * kilobyte,
  /** Time in which a client must have sent its whole request. */
  requestReceive: 15 * minute,
  /** Idle time of a client connection; longer than the 60 s of most proxies, so that they close first. */
  keepAliveConnection: 72 * second,
  /** Until a TLS connection has sent its first byte, and from there until its handshake is done. */
  tlsHandshake: 15 * second,
  /** Time from the answer to a malformed request until its connection is closed. */
  refusedConnection: 2 * second,
  /** Notifications that wait to be delivered, the time for delivering one, and how often accounts are looked at for them. */
  notifications: 50,
  notification: 30 * second,
  accountWatch: 30 * second,
  /** Time without a further notification that Kimi has changed something. */
  driftNotice: day,

  /** Characters of one segment of a request's path. More than Node admits headers, so that its limit counts. */
  requestPath: 64 * kilobyte,

  /** During shutdown: time between aborting a stream and closing its connection. */
  shutdownFlush: 2 * second,

  /**
   * How long a stream's headers are delayed until the first content; after that they are sent and keep-alives start.
   */
  headerDelay: 20 * second,
  /** Time without data to the client after which a keep-alive comment is sent. */
  sseKeepAlive: 15 * second,
  /** The same for responses: Codex can be set to give up after a second and a half without an event (clients.md §7 row 28). */
  responseKeepAlive: second,
  /** A client that reads nothing for this long is disconnected. */
  clientStall: 10 * minute,
  /** Maximum length of a line of an event stream to a client; one-api fails at 64 KiB (clients.md §0.5). */
  sseLine: 60_000,

  /** A file from any source; a larger one gets `file_rejected`. */
  file: 100 * megabyte,
  /** Length of a link's URL, and redirects followed. */
  linkLength: 8 * kilobyte,
  linkRedirects: 5,
  /** Waiting for the response headers of a link's server, and idle time inside its body. */
  linkHeaders: 20 * second,
  linkIdle: 20 * second,
  /** Bytes that a link's server must send in each such window. */
  linkSpeedWindow: 20 * second,
  linkSpeedBytes: 80 * kilobyte,
  /** Size of its response headers, and number of 1xx responses before them. */
  linkHeaderSize: 16 * kilobyte,
  linkInformationalResponses: 10,
  /** Fetching all links of a request: DNS, redirects and bodies; `files.linkSeconds` overrides it. */
  linkFetch: minute,
  /** Linked files of one API key that are fetched, or lie on disk until they are uploaded, at the same time. */
  linkFetchesPerKey: 8,
  /** Further ones that wait for that, and for how long. */
  linkFetchQueue: 1_000,
  linkFetchWait: 2 * minute,

  /** Connecting to an upstream or a link's server, DNS included. */
  connect: 10 * second,
  /** Waiting for an upstream's response headers. */
  upstreamHeaders: minute,
  /** Time without any bytes inside an answer; heartbeats reset it. */
  upstreamIdle: minute,
  /** Time without any data but heartbeats inside an answer. */
  upstreamProgress: 5 * minute,
  /** A whole request, from its first byte to the end of its answer. */
  answer: 30 * minute,
  /** A unary call to an upstream, such as refresh, catalogue or cancel. */
  unary: 15 * second,
  /** Response body of a unary call. */
  unaryBody: 4 * megabyte,
  /** One Connect envelope. Kimi's first envelopes echo the prompt, so it must fit (kimi-web.md §2.1). */
  envelope: 72 * megabyte,
  /** One line of an `openai` upstream's event stream; the arguments of a tool call may arrive in one line. */
  upstreamLine: 16 * megabyte,
  /** One server-sent event, in characters. The first one echoes the prompt (kimi-web.md §1.5). */
  sseEventData: 4 * megabyte,
  /** How many times an answer that Kimi truncated is continued before it ends with `length`. */
  continuations: 8,
  /** How long Kimi may take to close a stream after its last event. */
  upstreamClose: 2 * second,
  /** How long Kimi is asked for the rest of an answer whose stream was cut, and the polling interval. */
  cutAnswer: 20 * second,
  cutAnswerPoll: second,
  /** Messages of a chat among which the cut answer is looked for, from the newest. */
  cutAnswerMessages: 10,
  /** How long a slot of an account that several processes share outlives a killed process. */
  slotLease: 15 * second,
  /** How long an answer outlives its client where that has an idempotency key and may send its request again. */
  retryWait: 2 * second,
  /** Such answers at a time, and the characters of one that are kept for the retry. */
  retriedAnswers: 200,
  retriedAnswer: megabyte,
  /** Bytes buffered for a slow client before reading from the upstream pauses. */
  upstreamReadBuffer: 64 * kilobyte,
  /** The same for a body that cannot be paused, since its connection has no keep-alive; the answer fails beyond it. */
  upstreamUnpausableBuffer: 16 * megabyte,
  /** Bytes after the end-of-stream envelope beyond which the connection is closed instead of reused. */
  bytesAfterEnd: kilobyte,
  /** Waiting for Kimi to parse an uploaded file, and the polling interval. */
  fileParse: minute,
  fileParsePoll: second,
  /** Files in the local file store, over all keys: their number, and their bytes together. */
  storedFiles: 10_000,
  storedBytes: 20 * 1_024 * megabyte,
  /** Linked pictures that are inlined into upstream requests as base64: one, those of one key, and all of them. */
  inlinedFile: 20 * megabyte,
  inlinedFilesPerKey: 40 * megabyte,
  inlinedFiles: 80 * megabyte,
  /** Images and files in one upstream message. */
  filesPerMessage: 50,
  /** Links in a prompt that are probed for documents, and the time for probing all of them. */
  promptLinks: 5,
  promptLinkProbe: 3 * second,

  /** Characters of a stored answer with its request, sealed; a larger one is not stored. All of them: their number and size. */
  storedResponse: 8_000_000,
  storedResponses: 10_000,
  storedResponseText: 512_000_000,

  /** How long an upload's upstream id is reused for the same bytes. */
  uploadReuse: 12 * 60 * minute,
  /** Text and reasoning of one answer. */
  answerText: 32 * megabyte,
  /** Characters after which an unclosed citation mark counts as text. */
  citationMark: 4 * kilobyte,
  /** Search rounds before the model must answer. */
  searchRounds: 5,
  /** Sources of one answer. */
  sources: 500,
  /** Names by which an answer refers to its sources. */
  sourceReferences: 10_000,
  /** Text blocks, and tool calls, of one answer of Kimi's. */
  answerBlocks: 10_000,
  /** A bound of an answer's tokens below this is lifted to it: the checks of UIs send 1 or 5. */
  minAnswerTokens: 16,
  /** Characters of an answer whose tokens are counted together, where they are bounded. */
  tokenCountTail: 1_000,
  /** Tool calls of one answer of an `openai` upstream. */
  toolCalls: 1_000,
  /** Times that an answer with wrong calls is asked for again; the last time in a new chat. */
  toolCorrections: 2,
  /** Time, in milliseconds, and characters after which a model that goes on after its calls is stopped. */
  callTailTime: 1_500,
  callTailText: 400,
  /** Time in milliseconds for which a call is held whole, so that it can be corrected. */
  toolCallHoldTime: 2_000,
  /** Characters of the functions' descriptions in a prompt, and of those in the shorter form of the section. */
  toolDescriptions: 24_000,
  shortToolDescriptions: 8_000,
  /** Characters of one function's signature, of its description where not all fit whole, and of a nested parameter's. */
  toolSignature: 80,
  shortToolDescription: 600,
  nestedDescription: 300,
  /** Values of an `enum`, and nested levels of parameters, that are told where not all descriptions fit whole. */
  toolEnumValues: 30,
  toolParameterDepth: 4,
  /** Turns, and characters of a chat, after which the signatures of all functions are told again. */
  toolSignatureTurns: 12,
  toolSignatureText: 60_000,
  /** Characters of a call that are quoted in a correction. */
  quotedCall: 300,
  /**
   * Comparing a call with what the model has read: the places that are compared, their characters together, the characters of
   * a value and the words of all values. Beyond the first two, it counts as a quotation.
   */
  quotationPlaces: 100,
  quotationText: 16_000_000,
  quotedWords: 2 * kilobyte,
  quotedWordCount: 100,
  /** Characters of one call that the model writes as text. */
  toolCallText: 2_000_000,
  /** Characters of a written call beyond which it is not held whole, and those of one piece of its arguments then. */
  toolCallHold: 4 * kilobyte,
  toolCallPiece: 16 * kilobyte,
  /** Characters of a call's broken JSON that are repaired: `jsonrepair` takes quadratic time for some texts. */
  toolCallRepair: 16 * kilobyte,
  /** Texts of one answer that looked like calls and were none; beyond that only valid calls in our own tag are looked for. */
  toolCallRejections: 200,
  /** Values of a function's schema, its references resolved, that arguments are compared with. */
  toolSchemaValues: 5_000,
  /** Comparisons of one JSON value with a schema; so many take a second. */
  schemaComparisons: 2_000_000,
  /** Compiled schemas that are kept. */
  toolSchemas: 500,
  /** Characters of an answer that is held until it is compared with its format. */
  formattedAnswer: 1_000_000,
  /** Times that an answer of another format is asked for again. */
  formatCorrections: 1,
  /** Characters of the schema of a format that are told the model, and objects and arrays in the schema of a request. */
  formatSchema: 100_000,
  formatSchemaValues: 20_000,
  /** Places in an answer at which JSON may begin that are read, and their characters together. */
  formatStarts: 100,
  formatReading: 2_000_000,
  /** Characters of the arguments of a search that are read for its queries. */
  searchArguments: 16 * kilobyte,
  /** Searches, and notices, that are reported of one answer. */
  notices: 200,
  /** Requests for the sources of one answer that came without their addresses, and how long it waits for them at once. */
  sourceLookups: 10,
  sourceLookup: 3 * second,

  /** How long a model catalogue is cached. */
  catalogueTtl: 10 * minute,
  /** How long the first chat waits for the catalogue before it uses the built-in one. */
  catalogueWait: 3 * second,
  /** Time after a failed catalogue call before the next one. */
  catalogueRetry: minute,

  /** Attempts of one request while Kimi reports its account as busy. */
  busyAttempts: 5,
  /** Delay before each repetition of a message that its chat refused because Kimi still answers in it. */
  busyChatDelays: [second, 2 * second, 3 * second],
  /** How long that may last where it was measured; beyond that the message goes to a new chat at once. */
  busyChatWait: 15 * second,
  /** Maximum pause of an upstream after it reported an overload. */
  overloadPause: 5 * second,

  /** How long an account is shown in state `quota` after Kimi's last quota error. */
  quotaStateTtl: 10 * minute,

  /** Consecutive failures that open the circuit breaker, how long it stays open at first, and at most. */
  breakerFailures: 4,
  breakerPause: 15 * second,
  breakerMaxPause: 5 * minute,

  /** Interval of the search for due chats; also the first pause after a failed deletion. */
  cleanupInterval: minute,
  cleanupMaxPause: 6 * 60 * minute,
  /** Chats read from the store at a time. */
  cleanupBatch: 50,
  /** Chats kept in memory that the store did not take. */
  unsavedChats: 10_000,
  /** Stored conversation nodes. */
  conversationNodes: 1_000_000,
  /** Answers remembered of nodes beyond `conversationNodes`, to tell equal answers apart; about 150 bytes each. */
  forgottenAnswers: 4_000_000,
  /** How long a node is kept after its chat is gone, to tell equal answers apart. */
  tombstone: 30 * day,
  /** Rows of a look-up from which on an answer is too common to identify a conversation. */
  nodeCandidates: 17,
  /** Answers of a history that are looked up, from the end; if none of them is known, the whole history is sent. */
  historyEnds: 200,
  /** Turns of a path that are compared with a history. */
  pathTurns: 1_000,
  /** Characters of an answer that identifies its conversation where the whole path is not in the request. */
  identifyingAnswer: 160,
  /** How long a killed process keeps its claim on a chat; a live one extends it. */
  chatClaim: 3 * second,
  /** Interval at which a request looks whether the chat of its conversation has become free. */
  chatPoll: 50,

  /** Interval at which a running server looks for new accounts of `moonbridge login`. */
  upstreamReload: 2 * second,
  /** Between two looks at the files of the configuration, and the size above which these are not looked at. */
  configPoll: second,
  configFile: 16 * megabyte,

  /** A paste at `moonbridge login`; a HAR file may be large. */
  pasted: 64 * megabyte,
  /** Pastes of at most this size count as copied by hand: line breaks inside their tokens are removed. */
  pastedByHand: 256 * kilobyte,
  /** Verifying a login with Kimi, a refresh included. */
  loginVerification: minute,
  /** Positions in a paste that are examined as the start of a token. */
  pastedTokens: 50_000,
  /** Length of a token; Kimi's have about 700 characters. */
  token: 16 * kilobyte,
  /** Time without input after which an empty line ends a paste. */
  pasteIdle: 300,

  /** How often each account is checked for a due refresh. */
  refreshCheckInterval: 15 * second,
  /**
   * How long after their last use credentials are refreshed before they expire, and how often unused ones are
   * refreshed.
   */
  refreshAheadAfterUse: day,
  unusedRefreshInterval: day,
  /** An access token with less than this left is refreshed before a turn that may take minutes. */
  longTurnToken: 10 * minute,
  /** One refresh, with all refresh tokens that it tries. */
  refresh: 45 * second,
  /** Minimum time between two refreshes, even if the new access token looks expired or Kimi refuses it. */
  refreshSpacing: 30 * second,
  /** Back-off after a failed refresh, and after one that Kimi refused. */
  failedRefreshBackoff: { initial: second, max: minute },
  refusedRefreshBackoff: { initial: minute, max: 60 * minute },
  /** Back-off after refreshed tokens could not be stored, as on a full disk: until they are, a kill loses the login. */
  failedSaveBackoff: { initial: 250, max: 2 * second },
  /** Upper bound of the delay that Kimi may request before the next refresh. */
  maxRefreshPause: 60 * minute,
  /** Maximum time that a request waits for the end of a back-off delay; for a longer delay it gets the last error. */
  refreshWait: 5 * second,
  /**
   * Lease time of the refresh lock. A running process extends it, so a killed one blocks others for at most this long.
   */
  refreshLock: 5 * second,
  /** Time after a failed lock request before the next one, unless a refresh is urgent. */
  lockRetry: minute,
  /** How long a process waits for the refresh lock that another one holds, and the polling interval. */
  refreshLockWait: minute,
  refreshLockPoll: 100,
  /** How long shutdown waits for a running refresh. */
  refreshAtShutdown: 5 * second,
  /** Report `expiring` when a refresh token has less than this left. */
  credentialsExpiryWarning: 7 * day,

  /** Wrong keys per client address; beyond that, low-entropy keys from this address are refused. */
  failedLogins: { tokens: 100, refillMs: 10 * minute },
  /** Wrong secrets at `POST /token` per client address and key name. */
  failedTokenRequests: { tokens: 10, refillMs: 5 * minute },
  /** Entries of the failed-login limiter and of the rate limiter. */
  rateLimitEntries: 10_000,
  /** Body of a request to `/token`. */
  tokenRequest: 16 * kilobyte,
  /** Body of a login at the console; a token of an issuer may be long. */
  loginRequest: 32 * kilobyte,
  /** Lifetime of an access token from `POST /token`. */
  accessToken: 60 * minute,

  /** Waiting for a response of the OIDC issuer, and its body. */
  issuerResponse: 5 * second,
  issuerBody: 256 * kilobyte,
  /** How long the issuer's keys are cached. */
  issuerKeys: 10 * minute,
  /** Fetches of the issuer's keys. */
  issuerFetches: { tokens: 5, refillMs: minute },
  /** Tolerated clock skew when a token's times are checked. */
  clockTolerance: 10 * second,

  /** One check of `moonbridge doctor`. */
  doctorCheck: minute,
  /** Probing one address: DNS, connection and response. */
  doctorProbe: 15 * second,
  /** Clean-up time of an aborted check, such as deleting its chat. */
  doctorCleanup: 5 * second,
  /** Clock skew, and length of a key, that cause a warning. */
  doctorClockSkew: minute,
  doctorKeyLength: 16,

  /** How long an ended request may wait until it is written to the journal, and how many are written together. */
  journalDelay: 2 * second,
  journalBatch: 1_000,
  /** How often `moonbridge requests --follow` looks for new ones. */
  journalPoll: second,
  /** Ended requests that wait to be written; further ones are lost. */
  journalBuffer: 10_000,
  /** Characters of a prompt and of an answer that the journal keeps, if it keeps texts. */
  journalText: 20_000,
  /** How often the journal is cut to what is kept of it. */
  journalTrimInterval: minute,
  /** How long the daily sums of usage are kept. */
  dailyUsage: 400 * day,
  /** Clients of `GET /v1/admin/events` at the same time. */
  activityListeners: 32,
  /** Bytes of events that such a client may leave unread; beyond that it is disconnected. */
  activityBuffer: 4 * megabyte,
  /** Lines of the log that are kept in memory for the console. */
  logTail: 500,
  /** How often the accounts are looked at while somebody watches. */
  activityAccounts: second,

  /** Lifetime of the one-time code of the greeting, and of the session of a console. */
  loginCode: 10 * minute,
  session: 12 * 60 * minute,
  /** Sessions at the same time; a new one ends the oldest. */
  sessions: 100,

  /** One check of `moonbridge probe`, which may send six messages with pauses between them. */
  probeCheck: 4 * minute,
  /** Lease of the lock of a probe, which is extended before each check. */
  probeLock: 5 * minute,
  /** When a chat of a probe is deleted by others, if the probe itself could not. */
  probeChat: 10 * minute,
  /** Chats in the store that are looked through for those of a killed probe. */
  probeAbandoned: 1_000,
  /** How long a probe waits for a chat that is still stopping, and for an answer whose connection it has closed. */
  probeBusy: 30 * second,
  probeCut: minute,
  probePoll: second,
  /** Time between the starts of two messages of a probe. */
  probePause: 6 * second,
  /** How often a running server reads what a probe has found out about its accounts. */
  capabilityReload: 15 * second,

  /** Distinct unknown protocol elements that are counted. */
  driftNames: 200,
  /** Calls in a recording, and the bytes recorded since the start. */
  recordedCalls: 10_000,
  recordedBytes: 256 * megabyte,
} as const;
