import createFetchClient, { mergeHeaders, type ClientOptions as FetchOptions, type Client as FetchClient, type HeadersOptions } from "openapi-fetch";

import { serialize } from "./body.gen.js";
import { checked, cookieText, type Placed } from "./credentials.gen.js";
import { type Credentials, operations, schemes } from "./operations.gen.js";
import { querySerializer, type QueryStyle } from "./query.gen.js";
import type { paths } from "./schema.gen.js";

export type { Credential, UserPassword } from "./credentials.gen.js";
export type { Credentials } from "./operations.gen.js";
export type { components, operations, paths, Readable, Writable } from "./schema.gen.js";

/** The client of openapi-fetch, with the paths of the document. */
export type Client = FetchClient<paths>;

export interface ClientOptions extends Omit<FetchOptions, "bodySerializer"> {
  /** Where the service is. Credentials are sent there and nowhere else. */
  baseUrl: string;
  /**
   * What the caller has. A request carries the credentials of the first alternative of its operation's security that
   * they suffice for, and no others.
   */
  auth?: Credentials;
}

/** One operation, as far as its types do not tell. */
export interface Operation {
  /** Alternatives, each of them schemes that are needed together. */
  security: readonly (readonly (keyof Credentials)[])[];
  /** The media type of a request body, where the caller states no Content-Type. */
  body?: string;
  /** How a response is read, where the caller states no parseAs. */
  parseAs?: "text";
  /** How the query parameters are written that are no text, where the caller states no querySerializer. */
  query?: Readonly<Record<string, QueryStyle>>;
}

/** What a call may hold beside the members that fetch takes. */
interface Init extends Omit<RequestInit, "body" | "headers"> {
  baseUrl?: string;
  params?: Partial<Record<"path" | "query" | "header" | "cookie", Record<string, unknown>>>;
  headers?: HeadersOptions;
  body?: unknown;
  bodySerializer?: (body: unknown) => unknown;
  querySerializer?: unknown;
  parseAs?: string;
}

interface Result {
  data?: unknown;
  error?: unknown;
  response: Response;
}

/**
 * Makes a client. It follows no redirect: fetch would take an API key or a password along to where it leads. An operation
 * that answers one is called with redirect: "manual".
 */
export function createClient({ auth = {}, ...options }: ClientOptions): Client {
  const client = createFetchClient<paths>({ redirect: "error", ...options });
  const send = client.request as unknown as (method: string, path: string, init: Init) => Promise<Result>;

  async function request(method: string, path: string, init: Init = {}): Promise<Result> {
    const operation = operations[`${method.toUpperCase()} ${path}`];
    if (operation === undefined) {
      throw new TypeError(`the document has no operation ${method.toUpperCase()} ${path}`);
    }
    const placed = await choose(operation.security, auth);
    if (placed.length > 0 && init.baseUrl !== undefined && init.baseUrl !== options.baseUrl) {
      throw new TypeError("credentials are for the baseUrl of the client: make another client for another service");
    }
    const result = await send(method, path, complete(operation, placed, init));
    if (!result.response.ok && !result.error) {
      result.error = `${result.response.status} ${result.response.statusText}`; // else an empty body would look like success
    }
    return result;
  }

  const methods = ["GET", "PUT", "POST", "DELETE", "OPTIONS", "HEAD", "PATCH", "TRACE"];
  const calls = methods.map((method) => [method, (path: string, init?: Init) => request(method, path, init)]);
  return Object.assign(client, { request }, Object.fromEntries(calls));
}

/** Returns the credentials of the first alternative that all are there for, none where there is no such. */
async function choose(alternatives: Operation["security"], credentials: Credentials): Promise<Placed[]> {
  const asked = new Map<keyof Credentials, unknown>();
  const ask = (name: keyof Credentials): unknown => {
    const given: unknown = credentials[name];
    if (!asked.has(name)) {
      asked.set(name, typeof given === "function" ? given() : given);
    }
    return asked.get(name);
  };
  for (const names of alternatives) {
    const given = await Promise.all(names.map(ask));
    if (names.length > 0 && given.every((credential) => credential !== undefined)) {
      const place = (name: keyof Credentials, i: number) => (schemes[name] as (credential: unknown) => Placed | undefined)(given[i]);
      return names.map(place).filter((placed) => placed !== undefined);
    }
  }
  return [];
}

/** Adds to a call what its operation and its credentials demand. What the caller states wins. */
function complete(operation: Operation, placed: Placed[], init: Init): Init {
  const { params = {} } = init;
  for (const value of Object.values(params.path ?? {})) {
    if ([".", ".."].includes(String(value))) {
      throw new TypeError("a path parameter is . or .., which would make the request one for another path");
    }
  }
  const at = (place: Placed["in"]) => Object.fromEntries(placed.filter((p) => p.in === place).map((p) => [p.name, p.value]));
  const cookies = Object.entries({ ...params.cookie, ...at("cookie") }).filter(([, value]) => value !== undefined);
  const cookie = cookies.map(([name, value]) => `${name}=${checked(String(value), cookieText)}`).join("; ");
  const headers = mergeHeaders(cookie ? { Cookie: cookie } : {}, at("header"), init.headers);
  const full: Init = { ...init, headers, params: { ...params, query: { ...params.query, ...at("query") } } };
  if (placed.length > 0 && init.redirect !== "manual") {
    full.redirect = "error";
  }
  if (operation.parseAs !== undefined) {
    full.parseAs = init.parseAs ?? operation.parseAs;
  }
  if (operation.query !== undefined) {
    full.querySerializer = init.querySerializer ?? querySerializer(operation.query);
  }
  if (init.body !== undefined && init.bodySerializer === undefined) {
    const mediaType = headers.get("Content-Type") ?? operation.body ?? "application/octet-stream";
    const body = serialize(mediaType, init.body);
    full.bodySerializer = () => body;
    headers.set("Content-Type", mediaType);
    if (body instanceof FormData) {
      headers.delete("Content-Type"); // fetch writes it, with the boundary
    }
  }
  return full;
}
