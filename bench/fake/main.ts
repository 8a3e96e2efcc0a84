/** The process of the fake upstream. */
import { handleCalls } from "../ipc.js";
import { FakeUpstream } from "./server.js";

const upstream = new FakeUpstream();
const port = await upstream.listen();

handleCalls({
  port: () => port,
  startRecording: () => upstream.startRecording(),
  takeSendTimes: () => upstream.takeSendTimes(),
});
