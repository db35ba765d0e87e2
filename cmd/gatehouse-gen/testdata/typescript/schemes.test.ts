// Drives a server that answers what it was sent, with the client of a document that has every scheme.
import assert from "node:assert/strict";
import { File } from "node:buffer";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { after, test } from "node:test";

import { type ClientOptions, createClient, type Credentials } from "./client.gen.js";
import { querySerializer, type QueryStyle } from "./query.gen.js";

async function listen(answer: (request: IncomingMessage, body: string, response: ServerResponse) => void): Promise<string> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk) => chunks.push(chunk)).on("end", () => answer(request, Buffer.concat(chunks).toString("latin1"), response));
  });
  after(() => server.close());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

let strange = 0;
const stranger = await listen((_, _body, response) => {
  strange++;
  response.setHeader("Content-Type", "application/json").end("{}");
});

let asked = 0;
let redirects = 0; // a status, and the service leads astray with it
let fails = 0; // a status, and the service fails with it and an empty body
const service = await listen((request, body, response) => {
  asked++;
  if (redirects > 0 || fails > 0) {
    response.writeHead(redirects || fails, redirects > 0 ? { Location: stranger + request.url } : {}).end();
    return;
  }
  response.setHeader("Content-Type", "application/json").end(JSON.stringify({ method: request.method, url: request.url, headers: request.headers, body }));
});

const client = (auth: Credentials = {}, options: Partial<ClientOptions> = {}) => createClient({ ...options, baseUrl: service, auth });

/** The header fields of a credential that a request came with. */
function proof(echo: { headers: Record<string, string> } | undefined): Record<string, string> {
  assert.ok(echo !== undefined);
  return Object.fromEntries(Object.entries(echo.headers).filter(([name]) => ["authorization", "x-partner-key", "cookie"].includes(name)));
}

test("HTTP Basic is UTF-8", async () => {
  const { data } = await client({ user: { username: "Jürgen", password: "€:pässwörd" } }).GET("/user");
  assert.deepEqual(proof(data), { authorization: `Basic ${Buffer.from("Jürgen:€:pässwörd", "utf8").toString("base64")}` });
});

test("a bearer token", async () => {
  assert.deepEqual(proof((await client({ token: "t.k-n" }).GET("/token")).data), { authorization: "Bearer t.k-n" });
});

test("an access token of OAuth 2.0", async () => {
  assert.deepEqual(proof((await client({ login: async () => "t" }).GET("/login")).data), { authorization: "Bearer t" });
});

test("an access token of OpenID Connect", async () => {
  assert.deepEqual(proof((await client({ issuer: () => "t" }).GET("/issuer")).data), { authorization: "Bearer t" });
});

test("an API key in a header", async () => {
  assert.deepEqual(proof((await client({ "partner-key": "k y" }).GET("/partner")).data), { "x-partner-key": "k y" });
});

test("an API key in the query, beside parameters", async () => {
  const { data } = await client({ "query.key": "a&b=c d" }).GET("/query", { params: { query: { tags: ["x", "y"] } } });
  const { searchParams } = new URL(data?.url ?? "", service);
  assert.deepEqual([...searchParams], [["tags", "x"], ["tags", "y"], ["api key", "a&b=c d"]]);
});

test("an API key in a cookie, beside parameters", async () => {
  const { data } = await client({ session: "k" }).GET("/session", { params: { cookie: { theme: "dark" } } });
  assert.deepEqual(proof(data), { cookie: "theme=dark; sid=k" });
});

test("a client certificate adds nothing, and is chosen where the caller has one", async () => {
  assert.deepEqual(proof((await client({ client: true, token: "t" }).GET("/client")).data), {});
  assert.deepEqual(proof((await client({ token: "t" }).GET("/client")).data), { authorization: "Bearer t" });
});

test("three schemes together", async () => {
  const { data } = await client({ client: true, "partner-key": "p", session: "s", token: "t" }).GET("/together");
  assert.deepEqual(proof(data), { "x-partner-key": "p", cookie: "sid=s" });
});

test("a header that the caller states wins", async () => {
  assert.deepEqual(proof((await client({ token: "t" }).GET("/token", { headers: { Authorization: "Bearer other" } })).data), { authorization: "Bearer other" });
});

for (const [name, call] of [
  ["a colon in a username", () => client({ user: { username: "a:b", password: "kanarie7" } }).GET("/user")],
  ["a line break in a token", () => client({ token: "kanarie7\r\nX-Admin: 1" }).GET("/token")],
  ["an empty token", () => client({ token: "" }).GET("/token")],
  ["a line break in an API key", () => client({ "partner-key": "kanarie7\n" }).GET("/partner")],
  ["an API key that would be two cookies", () => client({ session: "kanarie7; admin=1" }).GET("/session")],
  ["a cookie that would be two", () => client({ session: "s" }).GET("/session", { params: { cookie: { theme: "kanarie7;a=b" } } })],
  ["a path parameter that leads to another path", () => client({ login: "t" }).GET("/things/{id}", { params: { path: { id: ".." } } })],
  ["a list of path segments that does so", () => client({ login: "t" }).GET("/things/{id}", { params: { path: { id: [".."] as unknown as string } } })],
  ["an operation that the document does not have", () => client({ login: "t" }).GET("/nowhere" as "/login")],
  ["a credential for another service", () => client({ login: "t" }).GET("/login", { baseUrl: stranger })],
] as [string, () => Promise<unknown>][]) {
  test(`${name} is refused before anything is sent`, async () => {
    const before = asked;
    await assert.rejects(call, (error: Error) => error instanceof TypeError && !/kanarie7/.test(`${error.message}${error.stack}${error.cause}`));
    assert.equal(asked, before);
    assert.equal(strange, 0);
  });
}

for (const status of [301, 302, 303, 307, 308]) {
  test(`${status} to another origin takes no credential along`, async () => {
    redirects = status;
    await assert.rejects(client({ "partner-key": "k" }).GET("/partner"));
    await assert.rejects(client({ "partner-key": "k" }, { redirect: "follow" }).GET("/partner"));
    await assert.rejects(client({ "partner-key": "k" }).GET("/partner", { redirect: "follow" }));
    await assert.rejects(client().POST("/open", { body: { name: "a password, say" } }));
    const { error, response } = await client({ "partner-key": "k" }).GET("/partner", { redirect: "manual" });
    assert.equal(response.status, status);
    assert.ok(error, "it must not look like success");
    redirects = 0;
    assert.equal(strange, 0);
  });
}

test("a failure without a body is an error", async () => {
  fails = 502;
  const { data, error } = await client({ login: "t" }).GET("/login");
  fails = 0;
  assert.equal(data, undefined);
  assert.equal(error, "502 Bad Gateway");
});

const form = { name: "a&b", tags: ["x", "y"], size: { width: 1 } };

test("a form", async () => {
  const { data } = await client({ login: "t" }).POST("/forms", { body: form });
  assert.equal(data?.headers["content-type"], "application/x-www-form-urlencoded");
  assert.equal(data.body, "name=a%26b&tags=x&tags=y&size=%7B%22width%22%3A1%7D");
});

test("a member with a default may be left out, one that the service sets may not be sent", async () => {
  const { data } = await client({ login: "t" }).POST("/several", {
    body: {
      name: "a",
      // @ts-expect-error it is read-only
      id: "1",
    },
  });
  assert.equal(data?.body, '{"name":"a","id":"1"}');
});

test("a multipart form with a file", async () => {
  const photo = new File(["PNG"], "photo.png", { type: "image/png" });
  const { data } = await client({ login: "t" }).POST("/parts", { body: { ...form, photo } });
  assert.ok(data !== undefined);
  const parts = await new Response(data.body, { headers: { "Content-Type": data.headers["content-type"] ?? "" } }).formData();
  assert.deepEqual([parts.get("name"), parts.getAll("tags")], ["a&b", ["x", "y"]]);
  const [size, sent] = [parts.get("size"), parts.get("photo")];
  assert.ok(size instanceof File && sent instanceof File);
  assert.deepEqual([size.type, await size.text()], ["application/json", '{"width":1}']);
  assert.deepEqual([sent.type, sent.name, await sent.text()], ["image/png", "photo.png", "PNG"]);
});

test("text is sent as it is", async () => {
  const { data } = await client({ login: "t" }).POST("/texts", { body: '"quoted"' });
  assert.deepEqual([data?.headers["content-type"], data?.body], ["text/plain", '"quoted"']);
});

test("bytes are sent as they are, and may be left out", async () => {
  const api = client({ login: "t" });
  const { data } = await api.POST("/bytes", { body: new Uint8Array([1, 255]) });
  assert.deepEqual([data?.headers["content-type"], data?.body], ["application/octet-stream", "\x01\xff"]);
  assert.equal((await api.POST("/bytes")).data?.body, "");
});

test("of several media types JSON is sent, or the one that the caller states", async () => {
  const api = client({ login: "t" });
  const json = await api.POST("/several", { body: { name: "a" } });
  assert.deepEqual([json.data?.headers["content-type"], json.data?.body], ["application/vnd.form+json", '{"name":"a"}']);
  const stated = await api.POST("/several", { body: { name: "a" }, headers: { "Content-Type": "application/x-www-form-urlencoded; charset=utf-8" } });
  assert.deepEqual([stated.data?.headers["content-type"], stated.data?.body], ["application/x-www-form-urlencoded; charset=utf-8", "name=a"]);
});

test("a public operation may be asked of another service", async () => {
  const before = strange;
  await client({ login: "t" }).POST("/open", { baseUrl: stranger, body: { name: "a" } });
  assert.equal(strange, before + 1);
});

for (const [name, style, value, want] of [
  ["an array that is exploded", ["form", true], ["a", "b c"], "x=a&x=b%20c"],
  ["an array that is not", ["form", false], ["a", "b,c"], "x=a,b%2Cc"],
  ["an array with spaces", ["spaceDelimited", false], ["a", "b"], "x=a%20b"],
  ["an array with pipes", ["pipeDelimited", false], ["a", "b"], "x=a%7Cb"],
  ["no elements", ["form", false], [], ""],
  ["an object that is exploded", ["form", true], { a: 1, b: undefined, "c&": "d" }, "a=1&c%26=d"],
  ["an object that is not", ["form", false], { a: 1, b: "c" }, "x=a,1,b,c"],
  ["a deep object", ["deepObject", true], { a: 1, b: "c" }, "x%5Ba%5D=1&x%5Bb%5D=c"],
  ["JSON", ["json", true], { a: [1] }, "x=%7B%22a%22%3A%5B1%5D%7D"],
  ["a text, whatever the style", ["deepObject", true], "a b", "x=a%20b"],
  ["nothing", ["form", true], undefined, ""],
] as [string, QueryStyle, unknown, string][]) {
  test(`a query with ${name}`, () => assert.equal(querySerializer({ x: style })({ x: value }), want));
}
