/** What a proxy is asked to connect to. `host`: a name or an address, IPv6 without brackets. `name`: for errors. */
export type TunnelTarget = { host: string; port: number; name: string };
