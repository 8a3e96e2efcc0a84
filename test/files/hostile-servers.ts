import { randomBytes } from "node:crypto";
import type { Socket } from "node:net";
import { gzipSync } from "node:zlib";
import type { ErrorCode } from "../../src/core/errors.js";

/** How a server responds after the request's header. */
type Respond = (socket: Socket) => void;

export const ok = "HTTP/1.1 200 OK\r\n";

/** Sends the parts and closes the connection. */
const sendAndClose =
  (...parts: (string | Buffer)[]): Respond =>
  (socket) =>
    socket.end(Buffer.concat(parts.map((part) => Buffer.from(part))));

/** Sends the text and leaves the connection open. */
const sendAndHold =
  (text: string): Respond =>
  (socket) =>
    socket.write(text);

/** Sends `start`, then `piece` at intervals. */
const dribble =
  (start: string, piece: string): Respond =>
  (socket) => {
    socket.write(start);
    const timer = setInterval(() => socket.write(piece), 20);
    socket.on("close", () => clearInterval(timer));
  };

/** Sends `start`, then `piece` repeatedly, as fast as the client reads. */
export const flood =
  (start: string, piece: string | Buffer): Respond =>
  (socket) => {
    const more = () => {
      while (!socket.destroyed && socket.write(piece));
    };
    socket.write(start);
    socket.on("drain", more);
    more();
  };

const block = Buffer.alloc(65_536);
const lines = "x: y\r\n".repeat(500);
const zeros = gzipSync(Buffer.alloc(20 * 1_048_576));
const chunked = `${ok}transfer-encoding: chunked\r\n\r\n`;

type Group = {
  code: ErrorCode;
  message: RegExp;
  fetchLimits?: { total: number };
  servers: Record<string, Respond>;
};

const groups: Group[] = [
  {
    code: "link_unreachable",
    message: /its server did not answer in time/,
    servers: {
      "never answers": () => {},
      "never ends its header": dribble(ok, "x"),
      "adds line after line to its header": dribble(ok, "x: y\r\n"),
      "has an endless status line": flood("HTTP/1.1 200 ", "y".repeat(4_096)),
      "stops sending in the body": sendAndHold(`${ok}content-length: 9\r\n\r\nhalf`),
      "stops sending between chunks": sendAndHold(`${chunked}4\r\nhalf\r\n`),
    },
  },
  {
    code: "link_unreachable",
    message: /took too long/,
    fetchLimits: { total: 400 },
    servers: {
      "dribbles its body": dribble(`${ok}\r\n`, "x"),
      "dribbles its announced body": dribble(`${ok}content-length: 99999\r\n\r\n`, "x"),
      "dribbles chunks": dribble(chunked, "1\r\nx\r\n"),
    },
  },
  {
    code: "file_rejected",
    message: /leads to a file of more than 4 MB/,
    servers: {
      "has an endless body": flood(`${ok}\r\n`, block),
      "has endless chunks": flood(
        chunked,
        Buffer.concat([Buffer.from("10000\r\n"), block, Buffer.from("\r\n")]),
      ),
      "has one endless chunk": flood(`${chunked}ffffffffffff\r\n`, block),
      "announces one byte more than the limit": sendAndHold(`${ok}content-length: 4194305\r\n\r\n`),
      "announces an extremely large body": sendAndHold(`${ok}content-length: 999999999999999\r\n\r\n`),
    },
  },
  {
    code: "link_unreachable",
    message: /the connection broke off/,
    servers: {
      "dribbles early hints": dribble("", "HTTP/1.1 103 Early Hints\r\n\r\n"),
      "floods early hints": flood("", "HTTP/1.1 103 Early Hints\r\n\r\n"),
      "closes at once": sendAndClose(""),
      "resets at once": (socket) => socket.resetAndDestroy(),
      "closes in the header": sendAndClose(`${ok}content-ty`),
      "sends less than it announced": sendAndClose(`${ok}content-length: 9\r\n\r\nhalf`),
      "omits the last chunk": sendAndClose(`${chunked}4\r\nhalf\r\n`),
      "closes in a chunk": sendAndClose(`${chunked}9\r\nhalf`),
      "resets in the body": (socket) =>
        socket.write(`${ok}content-length: 9\r\n\r\nhalf`, () => socket.resetAndDestroy()),
      "switches to another protocol": sendAndClose(
        "HTTP/1.1 101 X\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n",
      ),
    },
  },
  {
    code: "link_unreachable",
    message: /its server does not answer in HTTP/,
    servers: {
      "announces two lengths": sendAndClose(`${ok}content-length: 1\r\ncontent-length: 2\r\n\r\nxx`),
      "announces a negative length": sendAndClose(`${ok}content-length: -1\r\n\r\nxx`),
      "announces a length and chunks": sendAndClose(
        `${ok}content-length: 1\r\ntransfer-encoding: chunked\r\n\r\n1`,
      ),
      "has a chunk without a valid size": sendAndClose(`${chunked}xyz\r\n`),
      "answers in SSH": sendAndClose("SSH-2.0-OpenSSH_9.2\r\n"),
      "sends random bytes": sendAndClose("\0", randomBytes(1_000)),
    },
  },
  {
    code: "link_unreachable",
    message: /the header of its answer is too large/,
    servers: {
      "has an endless header line": flood(`${ok}x: `, "y".repeat(4_096)),
      "has endless header lines": flood(ok, lines),
      "has endless trailers": flood(`${chunked}1\r\nx\r\n0\r\n`, lines),
    },
  },
  {
    code: "link_unreachable",
    message: /its server sends it compressed/,
    servers: {
      "sends a gzip bomb": sendAndClose(`${ok}content-encoding: gzip\r\n\r\n`, zeros),
      "sends a nested gzip bomb": sendAndClose(
        `${ok}content-encoding: gzip, identity, GZIP\r\n\r\n`,
        gzipSync(zeros),
      ),
      "sends a gzip bomb as transfer-encoding": sendAndClose(`${ok}transfer-encoding: gzip\r\n\r\n`, zeros),
    },
  },
  {
    code: "link_unreachable",
    message: /its server (sends no content|answered with status) \(?(204|304|206|401|404|500)\)?\.$/,
    servers: {
      "answers 204 without content": sendAndClose("HTTP/1.1 204 No Content\r\n\r\n"),
      "answers 304 to an unconditional request": sendAndClose("HTTP/1.1 304 Not Modified\r\n\r\n"),
      "answers 206 to a request without a range": sendAndClose("HTTP/1.1 206 Partial Content\r\n\r\nx"),
      "answers 401": sendAndClose("HTTP/1.1 401 Unauthorized\r\nwww-authenticate: Basic\r\n\r\n"),
      "has an error page": sendAndClose(
        "HTTP/1.1 404 CANARY\r\ncontent-type: text/html\r\n\r\n<h1>CANARY</h1>",
      ),
      "has an endless error page": flood("HTTP/1.1 500 CANARY\r\n\r\n", block),
    },
  },
  {
    code: "link_forbidden",
    message: /it leads into a private network/,
    servers: {
      "redirects with an endless page": flood(
        "HTTP/1.1 302 Found\r\nlocation: http://10.0.0.1\r\n\r\n",
        block,
      ),
    },
  },
];

/** Hostile servers, with the error that each must cause for a limit of 4 MB per file. */
export const hostileServers = groups.flatMap(({ servers, ...outcome }) =>
  Object.entries(servers).map(([name, respond]) => ({ name, respond, ...outcome })),
);
