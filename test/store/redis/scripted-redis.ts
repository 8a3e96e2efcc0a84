import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { onTestFinished } from "vitest";

type Reply = string | number | null | Error | readonly Reply[];

/**
 * A server that speaks the protocol of Redis, RESP 2, and answers each command as `answer` says; undefined answers never. Ends
 * with the test. Resolves to its URL.
 */
export async function startScriptedRedis(
  answer: (command: readonly string[]) => Reply | undefined,
): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    let input = "";
    socket.on("error", () => {});
    socket.on("data", (data: Buffer) => {
      input += data.toString("latin1");
      for (let command = takeCommand(); command !== undefined; command = takeCommand()) {
        const reply = answer(command);
        if (reply !== undefined) socket.write(encode(reply));
      }
    });
    const takeCommand = (): string[] | undefined => {
      const [command, rest] = parseCommand(input) ?? [];
      if (rest !== undefined) input = rest;
      return command;
    };
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("There is no port.");
  return `redis://127.0.0.1:${address.port}`;
}

/** The first command of the input, and what follows it; undefined while it is not whole. */
function parseCommand(input: string): [string[], string] | undefined {
  const header = /^\*(\d+)\r\n/.exec(input);
  if (!header) return undefined;
  let rest = input.slice(header[0].length);
  const command: string[] = [];
  for (let n = 0; n < Number(header[1]); n++) {
    const length = /^\$(\d+)\r\n/.exec(rest);
    if (!length) return undefined;
    const [start, end] = [length[0].length, length[0].length + Number(length[1])];
    if (rest.length < end + 2) return undefined;
    command.push(rest.slice(start, end));
    rest = rest.slice(end + 2);
  }
  return [command, rest];
}

function encode(reply: Reply): string {
  if (reply === null) return "$-1\r\n";
  if (reply instanceof Error) return `-${reply.message}\r\n`;
  if (typeof reply === "number") return `:${reply}\r\n`;
  if (typeof reply === "string") return `$${Buffer.byteLength(reply)}\r\n${reply}\r\n`;
  return `*${reply.length}\r\n${reply.map(encode).join("")}`;
}
