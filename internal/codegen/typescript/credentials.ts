/** A credential, or a function that is asked for it before each request. undefined: there is none, or none yet. */
export type Credential<T> = T | undefined | (() => T | undefined | Promise<T | undefined>);

/** What HTTP Basic proves. */
export interface UserPassword {
  username: string;
  password: string;
}

/** Where a credential stands in a request. */
export interface Placed {
  in: "header" | "query" | "cookie";
  name: string;
  value: string;
}

/** HTTP Basic (RFC 7617), in UTF-8. */
export function basic({ username, password }: UserPassword): Placed {
  if (username.includes(":")) {
    throw new TypeError("the username of HTTP Basic holds a colon, where the password would begin (RFC 7617 §2)");
  }
  const bytes = new TextEncoder().encode(`${username}:${password}`);
  return { in: "header", name: "Authorization", value: `Basic ${btoa(String.fromCharCode(...bytes))}` };
}

/** A bearer token (RFC 6750): of OAuth 2.0, of OpenID Connect, or of one's own. */
export function bearer(token: string): Placed {
  return { in: "header", name: "Authorization", value: `Bearer ${checked(token, headerText)}` };
}

/** An API key in a header field. */
export function headerKey(name: string): (key: string) => Placed {
  return (key) => ({ in: "header", name, value: checked(key, headerText) });
}

/** An API key in the query. */
export function queryKey(name: string): (key: string) => Placed {
  return (key) => ({ in: "query", name, value: key });
}

/** An API key in a cookie. */
export function cookieKey(name: string): (key: string) => Placed {
  return (key) => ({ in: "cookie", name, value: checked(key, cookieText) });
}

/** A client certificate: the connection presents it (RFC 8446 §4.4.2), and fetch has nothing to add. */
export function clientCertificate(_: true): undefined {
  return undefined;
}

const headerText = /^[\x21-\x7e](?:[\t\x20-\x7e]*[\x21-\x7e])?$/;
export const cookieText = /^[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*$/; // RFC 6265 §4.1.1

/** Refuses what would end the field or begin another. What fetch says of such a value quotes it, and logs keep that. */
export function checked(value: string, allowed: RegExp): string {
  if (!allowed.test(value)) {
    throw new TypeError("a credential or cookie is empty, or holds a character that its place in a request cannot");
  }
  return value;
}
