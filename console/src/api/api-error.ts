/** What the server says of a request that it refused or could not answer, or `unreachable`. */
export class ApiError extends Error {
  /** A code of docs/reference/errors.md, or `unreachable`. */
  readonly code: string;
  /** The field of the request that is wrong. */
  readonly param: string | undefined;
  readonly status: number | undefined;
  /** The request's id in the journal. */
  readonly requestId: string | undefined;

  constructor(fields: {
    code: string;
    message: string;
    param?: string | undefined;
    status?: number | undefined;
    requestId?: string | undefined;
  }) {
    super(fields.message);
    this.name = "ApiError";
    this.code = fields.code;
    this.param = fields.param;
    this.status = fields.status;
    this.requestId = fields.requestId;
  }
}

/** The error in the body of an answer, which has OpenAI's form: `{ error: { code, message, param } }`. */
export function readError(response: Response, body: unknown): ApiError {
  const { code, message, param } = fieldsOf(body);
  return new ApiError({
    code: code ?? `http_${response.status}`,
    message: message ?? `The server answered with HTTP status ${response.status}.`,
    param,
    status: response.status,
    requestId: response.headers.get("x-request-id") ?? undefined,
  });
}

/** The fields of `{ error: { … } }` that are texts. */
export function fieldsOf(body: unknown): Partial<Record<"code" | "message" | "param", string>> {
  const error = isRecord(body) && isRecord(body.error) ? body.error : {};
  const text = (value: unknown) => (typeof value === "string" ? value : undefined);
  const fields = { code: text(error.code), message: text(error.message), param: text(error.param) };
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Anything thrown, as an ApiError. */
export function toApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  return new ApiError({ code: "console", message: error instanceof Error ? error.message : String(error) });
}
