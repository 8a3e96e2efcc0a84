import { isRecord } from "../api-error.js";
import { send } from "../client.js";

/** A file that goes with a message: a picture as a data URL, anything else uploaded, by its id. */
export type Attachment =
  | { kind: "picture"; name: string; url: string }
  | { kind: "file"; name: string; id: string; bytes: number };

/** Reads a picture, or uploads another file. Throws ApiError. */
export async function attach(file: File, signal: AbortSignal): Promise<Attachment> {
  if (/^image\/(png|jpeg|gif|webp)$/.test(file.type))
    return { kind: "picture", name: file.name, url: await readAsDataUrl(file) };
  const body = new FormData();
  body.set("purpose", "user_data");
  body.set("file", file);
  const answer: unknown = await (await send("v1/files", { method: "POST", body, signal })).json();
  const id = isRecord(answer) && typeof answer.id === "string" ? answer.id : "";
  return { kind: "file", name: file.name, id, bytes: file.size };
}

function readAsDataUrl(file: File): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(file);
  });
}
