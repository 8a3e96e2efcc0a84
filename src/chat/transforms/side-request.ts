import type { Transform } from "./transform.js";

/** Side requests (titles, tags) are answered without search and with the least thinking that the model has. */
export const sideRequestTransform: Transform = {
  request: (request) => ({ ...request, search: false, thinking: request.model.thinking[0] ?? "off" }),
};
