import { randomBytes } from "node:crypto";
import type { Socket } from "node:net";
import { gzipSync } from "node:zlib";
import type { ErrorCode } from "../../src/core/errors.js";

/** What a server does once it has been asked. */
type Talk = (socket: Socket) => void;

export const ok = "HTTP/1.1 200 OK\r\n";

/** Says this and closes. */
const says =
  (...parts: (string | Buffer)[]): Talk =>
  (socket) =>
    socket.end(Buffer.concat(parts.map((part) => Buffer.from(part))));

/** Says this and leaves the connection open. */
const holds =
  (text: string): Talk =>
  (socket) =>
    socket.write(text);

/** Says this, then a little again and again. */
const dribbles =
  (start: string, piece: string): Talk =>
  (socket) => {
    socket.write(start);
    const timer = setInterval(() => socket.write(piece), 20);
    socket.on("close", () => clearInterval(timer));
  };

/** Says this, then more and more, as fast as it is taken. */
export const floods =
  (start: string, piece: string | Buffer): Talk =>
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

type Group = { code: ErrorCode; message: RegExp; bounds?: { total: number }; servers: Record<string, Talk> };

const groups: Group[] = [
  {
    code: "link_unreachable",
    message: /its server did not answer in time/,
    servers: {
      "never answers": () => {},
      "never ends its header": dribbles(ok, "x"),
      "adds line after line to its header": dribbles(ok, "x: y\r\n"),
      "has an endless status line": floods("HTTP/1.1 200 ", "y".repeat(4_096)),
      "falls silent in the body": holds(`${ok}content-length: 9\r\n\r\nhalf`),
      "falls silent between chunks": holds(`${chunked}4\r\nhalf\r\n`),
    },
  },
  {
    code: "link_unreachable",
    message: /took too long/,
    bounds: { total: 400 },
    servers: {
      "dribbles its body": dribbles(`${ok}\r\n`, "x"),
      "dribbles its announced body": dribbles(`${ok}content-length: 99999\r\n\r\n`, "x"),
      "dribbles chunks": dribbles(chunked, "1\r\nx\r\n"),
    },
  },
  {
    code: "file_rejected",
    message: /leads to a file of more than 4 MB/,
    servers: {
      "has an endless body": floods(`${ok}\r\n`, block),
      "has endless chunks": floods(
        chunked,
        Buffer.concat([Buffer.from("10000\r\n"), block, Buffer.from("\r\n")]),
      ),
      "has one endless chunk": floods(`${chunked}ffffffffffff\r\n`, block),
      "announces a byte too much": holds(`${ok}content-length: 4194305\r\n\r\n`),
      "announces far too much": holds(`${ok}content-length: 999999999999999\r\n\r\n`),
    },
  },
  {
    code: "link_unreachable",
    message: /the connection broke off/,
    servers: {
      "dribbles early hints": dribbles("", "HTTP/1.1 103 Early Hints\r\n\r\n"),
      "floods early hints": floods("", "HTTP/1.1 103 Early Hints\r\n\r\n"),
      "closes at once": says(""),
      "resets at once": (socket) => socket.resetAndDestroy(),
      "closes in the header": says(`${ok}content-ty`),
      "sends less than it announced": says(`${ok}content-length: 9\r\n\r\nhalf`),
      "leaves the last chunk out": says(`${chunked}4\r\nhalf\r\n`),
      "closes in a chunk": says(`${chunked}9\r\nhalf`),
      "resets in the body": (socket) =>
        socket.write(`${ok}content-length: 9\r\n\r\nhalf`, () => socket.resetAndDestroy()),
      "wants to speak something else": says("HTTP/1.1 101 X\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n"),
    },
  },
  {
    code: "link_unreachable",
    message: /its server does not answer in HTTP/,
    servers: {
      "announces two lengths": says(`${ok}content-length: 1\r\ncontent-length: 2\r\n\r\nxx`),
      "announces a length below nothing": says(`${ok}content-length: -1\r\n\r\nxx`),
      "announces a length and chunks": says(`${ok}content-length: 1\r\ntransfer-encoding: chunked\r\n\r\n1`),
      "has a chunk of no size": says(`${chunked}xyz\r\n`),
      "speaks SSH": says("SSH-2.0-OpenSSH_9.2\r\n"),
      "speaks nonsense": says("\0", randomBytes(1_000)),
    },
  },
  {
    code: "link_unreachable",
    message: /the header of its answer is too large/,
    servers: {
      "has an endless header line": floods(`${ok}x: `, "y".repeat(4_096)),
      "has endless header lines": floods(ok, lines),
      "has endless trailers": floods(`${chunked}1\r\nx\r\n0\r\n`, lines),
    },
  },
  {
    code: "link_unreachable",
    message: /its server sends it compressed/,
    servers: {
      "sends a gzip bomb": says(`${ok}content-encoding: gzip\r\n\r\n`, zeros),
      "sends a bomb in a bomb": says(`${ok}content-encoding: gzip, identity, GZIP\r\n\r\n`, gzipSync(zeros)),
      "hides a bomb in the transfer": says(`${ok}transfer-encoding: gzip\r\n\r\n`, zeros),
    },
  },
  {
    code: "link_unreachable",
    message: /its server (sends no content|answered with status) \(?(204|304|206|401|404|500)\)?\.$/,
    servers: {
      "has no content": says("HTTP/1.1 204 No Content\r\n\r\n"),
      "says it has not changed": says("HTTP/1.1 304 Not Modified\r\n\r\n"),
      "sends a part unasked": says("HTTP/1.1 206 Partial Content\r\n\r\nx"),
      "wants a login": says("HTTP/1.1 401 Unauthorized\r\nwww-authenticate: Basic\r\n\r\n"),
      "has an error page": says("HTTP/1.1 404 CANARY\r\ncontent-type: text/html\r\n\r\n<h1>CANARY</h1>"),
      "has an endless error page": floods("HTTP/1.1 500 CANARY\r\n\r\n", block),
    },
  },
  {
    code: "link_forbidden",
    message: /it leads into a private network/,
    servers: {
      "redirects with an endless page": floods(
        "HTTP/1.1 302 Found\r\nlocation: http://10.0.0.1\r\n\r\n",
        block,
      ),
    },
  },
];

/** Servers that mean no good, with the error that each must end in where a file may have 4 MB. */
export const hostileServers = groups.flatMap(({ servers, ...outcome }) =>
  Object.entries(servers).map(([name, talk]) => ({ name, talk, ...outcome })),
);
