/** Media types of documents and pictures by extension; the first extension of a type is its default. */
const typesByExtension = new Map([
  ["pdf", "application/pdf"],
  ["docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"],
  ["xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"],
  ["pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"],
  ["doc", "application/msword"],
  ["xls", "application/vnd.ms-excel"],
  ["ppt", "application/vnd.ms-powerpoint"],
  ["odt", "application/vnd.oasis.opendocument.text"],
  ["rtf", "application/rtf"],
  ["epub", "application/epub+zip"],
  ["txt", "text/plain"],
  ["md", "text/markdown"],
  ["csv", "text/csv"],
  ["html", "text/html"],
  ["htm", "text/html"],
  ["json", "application/json"],
  ["xml", "application/xml"],
  ["png", "image/png"],
  ["jpg", "image/jpeg"],
  ["jpeg", "image/jpeg"],
  ["gif", "image/gif"],
  ["webp", "image/webp"],
  ["bmp", "image/bmp"],
  ["svg", "image/svg+xml"],
  ["heic", "image/heic"],
  ["avif", "image/avif"],
  ["tiff", "image/tiff"],
]);

const defaultType = "application/octet-stream";

/** Types that servers send for files of unknown type. */
const genericType = /^(application|binary)\/(octet-stream|x-download|download|force-download)$/;

/**
 * Media type from a `content-type` header, without parameters. If the header is missing, invalid or generic: from the
 * extension of the file's name.
 */
export function detectMediaType(contentType: string | undefined, name: string): string {
  const type = (contentType ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "";
  if (/^[\w.+-]{1,60}\/[\w.+-]{1,100}$/.test(type) && !genericType.test(type)) return type;
  return typesByExtension.get(extensionOf(name)) ?? defaultType;
}

/**
 * The name with the extension of its type, unless it has a known extension. `arxiv.org/pdf/2401.12345` becomes
 * `2401.12345.pdf`; plain text keeps any extension, such as `build.rs`.
 */
export function withExtension(name: string, mediaType: string): string {
  const extension = extensionOf(name);
  if (typesByExtension.has(extension) || (mediaType === "text/plain" && extension !== "")) return name;
  const defaultExtension = [...typesByExtension].find(([, type]) => type === mediaType)?.[0];
  return defaultExtension === undefined ? name : `${name}.${defaultExtension}`;
}

function extensionOf(name: string): string {
  return /\.([a-z0-9]{1,10})$/i.exec(name)?.[1]?.toLowerCase() ?? "";
}
