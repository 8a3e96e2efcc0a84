import { testOutboundCalls } from "./outbound-calls.js";

testOutboundCalls(["an HTTP proxy", "a SOCKS5 proxy with a password"]);
