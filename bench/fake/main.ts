/** The fake upstream as a process of its own. */
import { answerCalls } from "../calls.js";
import { FakeUpstream } from "./server.js";

const upstream = new FakeUpstream();
const port = await upstream.listen();

answerCalls({
  port: () => port,
  record: () => upstream.record(),
  recorded: () => upstream.recorded(),
});
