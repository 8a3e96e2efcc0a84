/** The types of documents and pictures that matter here, by the usual extension; the first one of a type is its own. */
const types = new Map([
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

const unknown = "application/octet-stream";

/** What servers say of a file when they do not know its type. */
const saysNothing = /^(application|binary)\/(octet-stream|x-download|download|force-download)$/;

/** The type a `content-type` names, without parameters; where it names none, what the file's extension says. */
export function mediaTypeOf(contentType: string | undefined, name: string): string {
  const type = (contentType ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "";
  if (/^[\w.+-]{1,60}\/[\w.+-]{1,100}$/.test(type) && !saysNothing.test(type)) return type;
  return types.get(extensionOf(name)) ?? unknown;
}

/**
 * The name with the extension of its type, unless it has a known one already. `arxiv.org/pdf/2401.12345` becomes
 * `2401.12345.pdf`; but of plain text any extension is believed, so `build.rs` stays.
 */
export function withExtension(name: string, mediaType: string): string {
  const extension = extensionOf(name);
  if (types.has(extension) || (mediaType === "text/plain" && extension !== "")) return name;
  const usual = [...types].find(([, type]) => type === mediaType)?.[0];
  return usual === undefined ? name : `${name}.${usual}`;
}

function extensionOf(name: string): string {
  return /\.([a-z0-9]{1,10})$/i.exec(name)?.[1]?.toLowerCase() ?? "";
}
