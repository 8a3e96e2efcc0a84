/** The comparison: what anybody would write in Node to pass requests on. */
import { Agent, createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { answerCalls } from "../calls.js";

const upstreamPort = Number(process.argv[2]);
const agent = new Agent({ keepAlive: true });

const server = createServer((incoming, outgoing) => {
  const { method, url, headers } = incoming;
  const options = { agent, host: "127.0.0.1", port: upstreamPort, method, path: url, headers };
  const forwarded = request(options, (answer) => {
    outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(outgoing);
  });
  forwarded.on("error", () => outgoing.destroy());
  outgoing.on("close", () => forwarded.destroy());
  incoming.pipe(forwarded);
});

const port = new Promise<number>((resolve) => {
  server.listen({ port: 0, host: "127.0.0.1", backlog: 8_192 }, () =>
    resolve((server.address() as AddressInfo).port),
  );
});

answerCalls({ port: () => port });
