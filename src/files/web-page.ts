/** Whether this is a web page by its media type or by its first bytes, whatever the server says about its type. */
export function isWebPage(mediaType: string, firstBytes: Uint8Array): boolean {
  if (mediaType === "text/html" || mediaType === "application/xhtml+xml") return true;
  const beginning = Buffer.from(firstBytes.subarray(0, 256)).toString("latin1");
  return /^(\xef\xbb\xbf)?\s*<(!doctype\s+html|html)[\s>]/i.test(beginning);
}
