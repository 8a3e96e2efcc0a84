export class LinkFetcher {
  constructor(_: { allowPrivate: boolean; maxBytes: number }) {}
  async describe(_url: string, _signal: AbortSignal): Promise<{ mediaType: string; name: string }> {
    throw new Error("stub");
  }
  async open(
    _url: string,
    _signal: AbortSignal,
  ): Promise<{ mediaType: string; name: string; body: AsyncIterable<Uint8Array> }> {
    throw new Error("stub");
  }
}
