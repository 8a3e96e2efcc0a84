/** The process of the naive relay: the shortest possible proxy with Node's `http`. */
import { Agent, createServer, request } from "node:http";
import type { AddressInfo } from "node:net";

const agent = new Agent({ keepAlive: true });

const server = createServer((clientRequest, clientResponse) => {
  const { method, url, headers } = clientRequest;
  const options = { agent, host: "127.0.0.1", port: process.argv[2], method, path: url, headers };
  const upstreamRequest = request(options, (upstreamResponse) => {
    clientResponse.writeHead(upstreamResponse.statusCode ?? 502, upstreamResponse.headers);
    upstreamResponse.pipe(clientResponse);
  });
  upstreamRequest.on("error", () => clientResponse.destroy());
  clientResponse.on("close", () => upstreamRequest.destroy());
  clientRequest.pipe(upstreamRequest);
});

server.listen({ port: 0, host: "127.0.0.1", backlog: 8_192 }, () => {
  process.stdout.write(`listening on http://127.0.0.1:${(server.address() as AddressInfo).port}\n`);
});
