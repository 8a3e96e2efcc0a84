/** The documents and pictures that chats are about, by the extension of their names. */
const byExtension: Record<string, string> = {
  pdf: "application/pdf",
  docx: "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
  xlsx: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
  pptx: "application/vnd.openxmlformats-officedocument.presentationml.presentation",
  doc: "application/msword",
  xls: "application/vnd.ms-excel",
  ppt: "application/vnd.ms-powerpoint",
  epub: "application/epub+zip",
  mobi: "application/x-mobipocket-ebook",
  rtf: "application/rtf",
  txt: "text/plain",
  md: "text/markdown",
  csv: "text/csv",
  json: "application/json",
  png: "image/png",
  jpg: "image/jpeg",
  jpeg: "image/jpeg",
  gif: "image/gif",
  webp: "image/webp",
  bmp: "image/bmp",
  heic: "image/heic",
  heif: "image/heif",
  svg: "image/svg+xml",
};

const unknown = "application/octet-stream";

/** The media type that a file's name speaks for; `application/octet-stream` where it says nothing. */
export function mediaTypeOf(name: string): string {
  const extension = /\.([a-z0-9]{1,5})$/i.exec(name)?.[1]?.toLowerCase() ?? "";
  return byExtension[extension] ?? unknown;
}

/** The extension that such a file's name should have, without a dot; `bin` where nobody knows. */
export function extensionOf(mediaType: string): string {
  return Object.entries(byExtension).find(([, type]) => type === mediaType)?.[0] ?? "bin";
}

/** True for a media type that says nothing. */
export function saysNothing(mediaType: string): boolean {
  return mediaType === "" || mediaType === unknown || mediaType === "binary/octet-stream";
}
