/** Writes a body in the media type. What fetch takes as it is stays as it is. */
export function serialize(mediaType: string, body: unknown): unknown {
  if (isRaw(body)) {
    return body;
  }
  const type = mediaType.split(";", 1)[0]?.trim().toLowerCase();
  switch (type) {
    case "application/x-www-form-urlencoded":
      return fill(new URLSearchParams(), body as object, (value) => JSON.stringify(value));
    case "multipart/form-data":
      return fill(new FormData(), body as object, (value) => new Blob([JSON.stringify(value)], { type: "application/json" }));
    case "application/json":
    case "text/json":
      return JSON.stringify(body);
  }
  return type?.endsWith("+json") ? JSON.stringify(body) : body;
}

function isRaw(body: unknown): boolean {
  return [FormData, URLSearchParams, Blob, ArrayBuffer, ReadableStream].some((raw) => body instanceof raw) || ArrayBuffer.isView(body);
}

interface Form<Part> {
  append(name: string, value: string | Part): void;
}

/** Adds the members of an object: arrays as repeated members, objects as JSON, undefined ones not at all. */
function fill<Part, F extends Form<Part>>(form: F, members: object, json: (value: object) => string | Part): F {
  for (const [name, member] of Object.entries(members)) {
    for (const value of Array.isArray(member) ? member : [member]) {
      if (value !== undefined) {
        form.append(name, typeof value !== "object" || value === null ? String(value) : value instanceof Blob ? (value as Part) : json(value));
      }
    }
  }
  return form;
}
