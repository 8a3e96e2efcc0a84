const second = 1_000;
const minute = 60 * second;
const day = 24 * 60 * minute;
const kilobyte = 1_024;
const megabyte = 1_024 * kilobyte;

/** Every bound of the program in one place. Times are milliseconds, sizes bytes. */
export const limits = {
  /** Body of a request; larger ones get `request_too_large`. Pictures arrive inside it as base64. */
  requestBody: 64 * megabyte,
  /** Characters of a body from which on others have their turn between the steps of reading it. */
  longBody: 256 * kilobyte,
  /** Time for a client to send its whole request. */
  requestReceive: 15 * minute,
  /** Idle time of a client's connection; longer than the 60 s that most proxies keep theirs. */
  keepAliveConnection: 72 * second,

  /** At the end of a shutdown: from the error event to the cut. */
  lastWords: 2 * second,

  /** After so long without anything to answer memory is given back; a person who reads and types is no rest. */
  restBeforeCollecting: minute,
  /** From one collection at rest to the next. */
  collectAtRest: 5 * second,
  /** Garbage that is not worth a collection. */
  sparedGarbage: 4 * megabyte,
  /** Histories whose tokens are remembered. */
  countedHistories: 10_000,
  /** How long the status line waits for the first word; then it leaves early and keep-alives run. */
  holdHeader: 20 * second,
  /** Silence on a stream after which a keep-alive comment is sent. */
  keepAlive: 15 * second,
  /** A client that takes nothing of its stream for so long is cut off. */
  stuckClient: 10 * minute,
  /** Longest line of an event stream; one-api stops at 64 KiB (clients.md §0.5). */
  eventLine: 60_000,

  /** A file, however it comes; larger ones get `file_rejected`. */
  file: 100 * megabyte,
  /** The text of a link, and the redirects that are followed from it. */
  linkLength: 8 * kilobyte,
  linkRedirects: 5,
  /** Waiting for the status line of a link's server, and silence inside its answer. */
  linkHeaders: 20 * second,
  linkSilence: 20 * second,
  /** Header of its answer, and the 1xx answers before it. */
  linkHeaderSize: 16 * kilobyte,
  linkInterim: 10,
  /** All of it: names, redirects and the body. */
  linkFetch: 5 * minute,

  /** Connecting to an upstream, or to the server of a link, the look-up of its name included. */
  connect: 10 * second,
  /** Waiting for an upstream's status line. */
  upstreamHeaders: minute,
  /** Silence of an upstream inside an answer, its heartbeats counted as sound. */
  upstreamSilence: minute,
  /** Heartbeats and nothing else. */
  upstreamProgress: 5 * minute,
  /** A whole answer, from request to finish; and so any request. */
  answer: 30 * minute,
  /** A short call to an upstream: refresh, catalogue, cancel. */
  unary: 15 * second,
  /** Body of the answer to a short call. */
  unaryBody: 4 * megabyte,
  /** One frame of an answer. Kimi's first frames echo the prompt, so it must hold one (kimi-web.md §2.1). */
  frame: 72 * megabyte,
  /** One line of an event stream; the arguments of a call may come in one piece. */
  upstreamLine: 16 * megabyte,
  /** One event of a stream of events, in characters. The first one echoes the prompt (kimi-web.md §1.5). */
  eventData: 4 * megabyte,
  /** How often an answer that Kimi cut to length is continued before it ends as that. */
  continuations: 8,
  /** How long Kimi may take to close a stream after its last event. */
  lastBytes: 2 * second,
  /** What may wait for a slow client before the upstream is told to wait too. */
  unreadAnswer: 64 * kilobyte,
  /** What one read of an upstream's socket may bring, and what may lie there before it is read no further. */
  socketRead: 64 * kilobyte,
  /** What may follow the end frame before the connection is cut instead of kept. */
  afterEnd: kilobyte,
  /** Kimi reading an uploaded file, and how often it is asked. */
  fileParse: minute,
  fileParsePoll: second,
  /** Files that clients keep here, over all keys: how many, and their bytes together. */
  storedFiles: 10_000,
  storedBytes: 20 * 1_024 * megabyte,
  /** A linked file that goes inside a request, as base64. */
  inlinedFile: 20 * megabyte,
  /** Pictures and files that go to an upstream in one message. */
  filesPerMessage: 50,
  /** Links in a prompt that are looked at, and how long that may take. */
  promptLinks: 5,
  linkLook: 3 * second,

  /** How long the id of an uploaded file is used again. */
  uploadRemembered: 12 * 60 * minute,
  /** All that one answer may say. */
  answerText: 32 * megabyte,
  /** A citation mark that never closes is text again after so many characters. */
  citationMark: 4 * kilobyte,
  /** How often a model may search before it has to answer. */
  searchRounds: 5,
  /** Sources of one answer. */
  sources: 500,

  /** How long a catalogue is believed. */
  catalogue: 10 * minute,
  /** How long the very first chat waits for the catalogue before it makes do with the built-in one. */
  catalogueWait: 3 * second,
  /** How long a failed catalogue call is not repeated. */
  catalogueRetry: minute,

  /** How often a request waits for an account that turns out to be busy elsewhere. */
  busyAttempts: 5,
  /** How long an upstream is left alone at most after it said that it is too busy. */
  overloadPause: 5 * second,

  /** How long an account is shown as having used up its quota without another word of Kimi's. */
  quotaRemembered: 10 * minute,

  /** Failures in a row after which an upstream is left alone where another can answer, and for how long. */
  breakerFailures: 4,
  breakerPause: 15 * second,
  breakerLongestPause: 5 * minute,

  /** How often chats that are due are looked for; also the first pause after one could not be deleted. */
  cleanupEvery: minute,
  cleanupLongestPause: 6 * 60 * minute,
  /** Chats that are deleted in one go. */
  cleanupLot: 50,
  /** Places in conversations that are remembered. */
  threads: 1_000_000,

  /** What is pasted at a login; a HAR file may be large. */
  pasted: 64 * megabyte,
  /** Shorter pastes come from a person's hands, and a line break inside a token is then undone. */
  pastedByHand: 256 * kilobyte,
  /** Asking Kimi whose login it is, a renewal included. */
  login: minute,
  /** Places in a paste that are looked at because a token may begin there. */
  pastedTokens: 50_000,
  /** One token; Kimi's have about 700 characters. */
  token: 16 * kilobyte,
  /** An empty line ends a paste only if nothing follows it for so long. */
  pasteQuiet: 300,

  /** How often it is looked whether a login is due for renewal. */
  renewalLook: 15 * second,
  /** How long after its last use a login is renewed before anyone needs it, and how often one that nobody uses. */
  keptReady: day,
  renewedUnused: day,
  /** A renewal, with all the refresh tokens that are tried in it. */
  renewal: 45 * second,
  /** A new access token is used for so long whatever it says of itself, and is not replaced if it is refused. */
  renewalSpacing: 30 * second,
  /** The pause after a renewal that failed, and after one that Kimi refused: the first, doubled up to the longest. */
  failedRenewal: { first: second, longest: minute },
  refusedRenewal: { first: minute, longest: 60 * minute },
  /** The longest pause that Kimi may ask for between two renewals. */
  longestPause: 60 * minute,
  /** Who needs a renewal waits so long for the end of a pause, and hears of the failure where it is longer. */
  renewalPatience: 5 * second,
  /** How long a process that was killed keeps the lock on a login; one that lives prolongs it. */
  renewalLock: 5 * second,
  /** How long a store that could not give a lock is not asked for one, unless it is urgent. */
  lockFailure: minute,
  /** How long a process waits for another one's renewal, and how often it looks whether it is done. */
  renewalElsewhere: minute,
  renewalPoll: 100,
  /** How long a renewal that runs may hold up the end of the program. */
  lastRenewal: 5 * second,
  /** A login whose refresh token ends so soon is worth a word. */
  loginEndsSoon: 7 * day,

  /** Wrong keys from one address; then a key that could be guessed is refused from there. */
  wrongKeys: { most: 100, within: 10 * minute },
  /** Wrong secrets for one name from one address at `/token`. */
  wrongSecrets: { most: 10, within: 5 * minute },
  /** Addresses and names whose wrong tries are remembered, and keys whose requests are counted. */
  counted: 10_000,
  /** Body of a request to `/token`. */
  tokenRequest: 16 * kilobyte,
  /** Life of a token that `/token` issued. */
  accessToken: 60 * minute,

  /** One answer of the issuer of foreign tokens, and its body. */
  issuerAnswer: 5 * second,
  issuerBody: 256 * kilobyte,
  /** How long the issuer's keys are believed. */
  issuerKeys: 10 * minute,
  /** How often they are fetched, whatever tokens name. */
  issuerFetches: { most: 5, within: minute },
  /** Clocks may differ by so much. */
  clockDifference: 10 * second,

  /** One check of `moonbridge doctor`. */
  doctorCheck: minute,
  /** What it does to look at one address: name, connection and answer. */
  doctorProbe: 15 * second,
  /** How long a check that is called off may put away what it had begun, such as a chat. */
  doctorLastWords: 5 * second,
  /** A clock that is further off is worth a word, and a key that is shorter. */
  doctorClock: minute,
  doctorKey: 16,

  /** Different unknown things that are remembered by name. */
  driftNames: 200,
  /** Files of a recording, and the bytes of all that was heard for it since the start. */
  recordedExchanges: 10_000,
  recordedBytes: 256 * megabyte,
} as const;
