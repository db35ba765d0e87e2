// Drives the service with the generated client, as a consumer of the package does.
import assert from "node:assert/strict";
import { test } from "node:test";

import { type ClientOptions, createClient, type Credentials } from "gatehouse-client";

const { GATEHOUSE_URL: baseUrl = "", GATEHOUSE_USER: username = "", GATEHOUSE_PASSWORD: password = "", GATEHOUSE_API_KEY: key = "" } = process.env;
const { GATEHOUSE_CLIENT_ID: clientId = "", GATEHOUSE_CLIENT_SECRET: clientSecret = "", GATEHOUSE_APP_ID: appId = "" } = process.env;

const operations = new Set<string>();
let last: Request;

/** Makes a client that notes what it sends. */
function client(auth: Credentials = {}, options: Partial<ClientOptions> = {}) {
  const api = createClient({ ...options, baseUrl, auth });
  api.use({
    onRequest({ request, schemaPath }) {
      operations.add(`${request.method} ${schemaPath}`);
      last = request;
    },
  });
  return api;
}

async function token(scope?: string): Promise<string> {
  const body = { grant_type: "password" as const, username, password };
  const { data, error } = await client().POST("/token", { body: scope === undefined ? body : { ...body, scope } });
  assert.ok(data !== undefined, JSON.stringify(error));
  return data.access_token;
}

const chair = { name: "Oak chair", price: 129.9, tags: ["wood"] };

test("the password gives a token, and a form is sent as one", async () => {
  const { data } = await client().POST("/token", { body: { grant_type: "password", username, password, scope: "items:read admin" } });
  assert.equal(data?.token_type, "Bearer");
  assert.equal(data.scope, "items:read");
  assert.equal(last.headers.get("Content-Type"), "application/x-www-form-urlencoded");
});

test("a wrong password is an error of OAuth", async () => {
  const { data, error, response } = await client().POST("/token", { body: { grant_type: "password", username, password: `${password}x` } });
  assert.equal(data, undefined);
  assert.equal(response.status, 400);
  assert.ok(error !== undefined && "error" in error);
  assert.equal(error.error, "invalid_grant");
});

test("an item is created, listed, read, replaced, changed and deleted", async () => {
  const api = client({ oauth2: await token() });
  const created = await api.POST("/items", { body: chair });
  assert.equal(created.response.status, 201, JSON.stringify(created.error));
  assert.ok(created.data !== undefined);
  const path = { item_id: created.data.id };
  const etag = created.response.headers.get("ETag") ?? "";

  const page = await api.GET("/items", { params: { query: { limit: 1 } } });
  assert.deepEqual(page.data?.items, [created.data]);

  const one = await api.GET("/items/{item_id}", { params: { path } });
  assert.deepEqual(one.data, created.data);

  const stale = await api.PUT("/items/{item_id}", { params: { path, header: { "If-Match": '"other"' } }, body: chair });
  assert.equal(stale.error?.status, 412);
  const replaced = await api.PUT("/items/{item_id}", { params: { path, header: { "If-Match": etag } }, body: { ...chair, category: "other" } });
  assert.equal(replaced.data?.category, "other", JSON.stringify(replaced.error));

  const changed = await api.PATCH("/items/{item_id}", { params: { path, header: { "If-Match": "*" } }, body: { price: 99.5, category: null } });
  assert.equal(last.headers.get("Content-Type"), "application/merge-patch+json");
  assert.equal(changed.data?.price, 99.5, JSON.stringify(changed.error));
  assert.equal(changed.data.category, undefined);

  const deleted = await api.DELETE("/items/{item_id}", { params: { path, header: { "If-Match": "*" } } });
  assert.equal(deleted.response.status, 204);
  const gone = await api.GET("/items/{item_id}", { params: { path } });
  assert.equal(gone.error?.status, 404);
});

test("a dry run is answered as such", async () => {
  const { response } = await client({ oauth2: await token() }).POST("/items", { params: { query: { dry_run: true } }, body: chair });
  assert.equal(response.status, 200);
});

test("a body that is against the schema is refused with every violation", async () => {
  const { data, error, response } = await client({ apiKeyHeader: key }).POST("/items", { body: { name: "", price: -1 } });
  assert.equal(response.status, 422);
  assert.equal(data, undefined);
  assert.equal(response.headers.get("Content-Type"), "application/problem+json");
  const violations = error?.errors?.map(({ pointer, keyword }) => `${pointer} ${keyword}`);
  assert.deepEqual(violations, ["/name minLength", "/name pattern", "/price minimum"]);
});

test("a token without the scope may read, and not write", async () => {
  const api = client({ oauth2: await token("items:read") });
  assert.equal((await api.GET("/items")).response.status, 200);
  const { error, response } = await api.POST("/items", { body: chair });
  assert.equal(response.status, 403);
  assert.equal(error?.status, 403);
  assert.match(response.headers.get("WWW-Authenticate") ?? "", /error="insufficient_scope"/);
});

const wrong = `${key}x`;
for (const [name, auth, status] of [
  ["an API key in the header", { apiKeyHeader: key }, 200],
  ["an API key in the query", { apiKeyQuery: key }, 200],
  ["an API key in a cookie", { apiKeyCookie: key }, 200],
  ["no API key", {}, 401],
  ["a wrong API key in the header", { apiKeyHeader: wrong }, 401],
  ["a wrong API key in the query", { apiKeyQuery: wrong }, 401],
  ["a wrong API key in a cookie", { apiKeyCookie: wrong }, 401],
  ["an API key as a bearer token, which this operation does not take", { apiKeyBearer: key }, 401],
] as [string, Credentials, number][]) {
  test(`${name}: ${status}`, async () => {
    const { data, error, response } = await client(auth).GET("/protected/api-key");
    assert.equal(response.status, status);
    assert.deepEqual(data?.schemes, status === 200 ? Object.keys(auth) : undefined);
    assert.equal(error?.status, status === 200 ? undefined : status);
  });
}

test("a user and a password prove who calls", async () => {
  const { data } = await client({ basic: { username, password } }).GET("/protected/basic");
  assert.deepEqual(data?.schemes, ["basic"]);
  const { error } = await client({ basic: { username, password: `${password}x` } }).GET("/protected/basic");
  assert.equal(error?.status, 401);
});

test("a function is asked before each request, so that a token can be renewed", async () => {
  let asked = 0;
  const api = client({ oauth2: async () => (++asked, token()) });
  assert.deepEqual((await api.GET("/protected/bearer")).data?.schemes, ["oauth2"]);
  assert.equal((await api.GET("/users/me")).data?.username, username);
  assert.equal(asked, 2);
  await api.GET("/livez");
  assert.equal(asked, 2, "a public operation asks for no token");
});

test("schemes that are needed together are sent together, or not at all", async () => {
  const { data } = await client({ oauth2: await token(), apiKeyHeader: key }).GET("/protected/bearer-and-api-key");
  assert.deepEqual(data?.schemes, ["oauth2", "apiKeyHeader"]);
  const { error } = await client({ apiKeyHeader: key }).GET("/protected/bearer-and-api-key");
  assert.equal(error?.status, 401);
  assert.equal(last.headers.get("X-API-Key"), null);
});

test("the first alternative that there are credentials for is sent, and no other", async () => {
  const api = client({ basic: { username, password }, oauth2: () => undefined, apiKeyHeader: key, apiKeyBearer: key });
  assert.deepEqual((await api.GET("/items")).response.status, 200);
  assert.equal(last.headers.get("X-API-Key"), key);
  assert.equal(last.headers.get("Authorization"), null);
  assert.deepEqual((await api.GET("/protected")).data?.schemes, ["basic"]);
});

test("where a credential is optional, one that is there is sent", async () => {
  assert.equal((await client().GET("/protected/optional")).data?.authenticated, false);
  assert.deepEqual((await client({ apiKeyHeader: key }).GET("/protected/optional")).data?.schemes, ["apiKeyHeader"]);
});

test("what needs no credential gets none", async () => {
  const api = client({ basic: { username, password }, oauth2: "token", apiKeyHeader: key, apiKeyQuery: key, apiKeyCookie: key });
  assert.equal((await api.GET("/livez")).data?.status, "ok");
  assert.equal((await api.GET("/readyz")).data?.status, "ok");
  assert.equal((await api.GET("/.well-known/jwks.json")).data?.keys[0]?.kty, "OKP");
  assert.deepEqual([...last.headers.keys()], []);
  assert.equal(new URL(last.url).search, "");
});

test("pages and files are text", async () => {
  const api = client();
  assert.match((await api.GET("/docs")).data ?? "", /<!doctype html>/i);
  assert.match((await api.GET("/docs/{file}", { params: { path: { file: "swagger-ui.css" } }, parseAs: "text" })).data ?? "", /swagger-ui/);
  assert.match((await api.GET("/openapi.yaml", { parseAs: "text" })).data ?? "", /^openapi: 3/);
});

async function logIn() {
  const { data, error } = await client().POST("/token", { body: { grant_type: "password", username, password } });
  assert.ok(data?.refresh_token !== undefined, JSON.stringify(error));
  return { access: data.access_token, refresh: data.refresh_token };
}

test("a refresh token gives the next tokens, and ends with its session", async () => {
  const { access, refresh } = await logIn();
  const { data } = await client().POST("/token", { body: { grant_type: "refresh_token", refresh_token: refresh } });
  assert.ok(data?.refresh_token !== undefined && data.refresh_token !== refresh);
  assert.equal((await client().POST("/revoke", { body: { token: data.refresh_token } })).response.status, 200);
  assert.equal((await client().POST("/token", { body: { grant_type: "refresh_token", refresh_token: data.refresh_token } })).response.status, 400);
  assert.equal((await client({ oauth2: access }).GET("/protected/bearer")).response.status, 401);
});

test("a client acts for itself, and asks about tokens", async () => {
  const api = client({ client: { username: clientId, password: clientSecret } });
  const { data } = await api.POST("/token", { body: { grant_type: "client_credentials" } });
  assert.equal(data?.scope, "items:read");
  assert.equal(data.refresh_token, undefined);
  const { data: said } = await api.POST("/introspect", { body: { token: data.access_token } });
  assert.equal(said?.active, true);
  assert.equal(said.client_id, clientId);
  const { error } = await client({ client: { username: clientId, password: "x" } }).POST("/introspect", { body: { token: "x" } });
  assert.equal(error?.error, "invalid_client");
});

test("a person logs in on the pages, and an application gets a code", async () => {
  const redirect_uri = "https://app.example.com/callback";
  const asked = {
    response_type: "code", client_id: appId, redirect_uri, scope: "openid items:read", state: "a & b",
    code_challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", code_challenge_method: "S256",
  };
  const request = new URLSearchParams(asked).toString();
  const api = client();
  const page = await api.GET("/authorize", { params: { query: { authorization_request: asked } }, redirect: "manual" });
  assert.match(page.data ?? "", /<h1>Log in<\/h1>/);
  const byForm = await api.POST("/authorize", { body: asked, redirect: "manual" });
  assert.equal(new URL(byForm.response.headers.get("Location") ?? "", baseUrl).searchParams.get("state"), "a & b");
  const login = await api.POST("/login", { body: { username, password, request }, redirect: "manual" });
  const cookie = { "__Host-login": /^__Host-login=([^;]*)/.exec(login.response.headers.get("Set-Cookie") ?? "")?.[1] ?? "" };
  const allowed = await api.POST("/consent", { body: { decision: "allow", request }, params: { cookie }, redirect: "manual" });
  const code = new URL(allowed.response.headers.get("Location") ?? "").searchParams.get("code") ?? "";
  const code_verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
  const { data: tokens } = await api.POST("/token", { body: { grant_type: "authorization_code", code, code_verifier, redirect_uri, client_id: appId } });
  assert.ok(tokens?.id_token !== undefined);
  const mine = client({ oauth2: tokens.access_token });
  assert.equal((await mine.GET("/userinfo")).data?.preferred_username, undefined);
  assert.equal((await client({ oauth2: token }).POST("/userinfo")).data?.preferred_username, username);
  const { data: metadata } = await api.GET("/.well-known/oauth-authorization-server");
  assert.deepEqual((await api.GET("/.well-known/openid-configuration")).data, metadata);
  const all = client({ oauth2: token });
  assert.deepEqual((await all.GET("/users/me/consents")).data?.consents.map((consent) => consent.scopes), [["items:read", "openid"]]);
  assert.equal((await all.DELETE("/users/me/consents/{client_id}", { params: { path: { client_id: appId } } })).response.status, 204);
  assert.equal((await mine.GET("/userinfo")).response.status, 401);
  const out = await api.POST("/logout", { body: { request }, params: { cookie }, redirect: "manual" });
  assert.equal(out.response.status, 303);
});

test("sessions are listed and ended", async () => {
  const [one, two, three] = [await logIn(), await logIn(), await logIn()];
  const api = client({ oauth2: two.access });
  const sessions = (await client({ oauth2: one.access }).GET("/users/me/sessions")).data?.sessions ?? [];
  const current = sessions.find((session) => session.current);
  assert.ok(current !== undefined);
  assert.equal((await api.DELETE("/users/me/sessions/{session_id}", { params: { path: { session_id: current.id } } })).response.status, 204);
  assert.equal((await client({ oauth2: one.access }).GET("/users/me/sessions")).response.status, 401);
  assert.equal((await api.DELETE("/users/me/sessions/current")).response.status, 204);
  assert.equal((await client({ oauth2: three.access }).DELETE("/users/me/sessions")).response.status, 204);
});

test("an account is one's own", async () => {
  const api = client({ oauth2: token });
  const { data } = await api.PATCH("/users/me", { body: { display_name: "Dev" } });
  assert.equal(data?.display_name, "Dev");
  const wrong = { current_password: `${password}x`, new_password: "staple battery horse" };
  assert.equal((await api.POST("/users/me/password", { body: wrong })).error?.status, 403);
  assert.equal((await api.DELETE("/users/me", { body: { current_password: wrong.current_password } })).error?.status, 403);
});

test("accounts of others are for administrators", async () => {
  const api = client({ oauth2: token });
  const params = { path: { user_id: "0193583e-6f5c-7a53-8a3c-0d1f2e3a4b5c" } };
  assert.equal((await api.GET("/users")).error?.status, 403);
  assert.equal((await api.GET("/users/{user_id}", { params })).error?.status, 403);
  assert.equal((await api.PATCH("/users/{user_id}", { params, body: { disabled: true } })).error?.status, 403);
  assert.equal((await api.DELETE("/users/{user_id}", { params })).error?.status, 403);
});

test("an account begins with a mail", async () => {
  const api = client();
  const email = "ann@example.com";
  assert.equal((await api.POST("/users", { body: { email, password: "staple battery horse" } })).response.status, 202);
  assert.equal((await api.POST("/account/verification-mail", { body: { email } })).response.status, 202);
  assert.equal((await api.POST("/account/password-reset-mail", { body: { email } })).response.status, 202);
  const unknown = "A".repeat(43);
  assert.equal((await api.POST("/account/verification", { body: { token: unknown, password: "staple battery horse" } })).error?.status, 400);
  assert.equal((await api.POST("/account/password-reset", { body: { token: unknown, new_password: "horse staple battery" } })).error?.status, 400);
  assert.equal((await api.POST("/users", { body: { email, password: "password1" } })).error?.status, 422);
});

test("the pages of accounts are text", async () => {
  const api = client();
  const page = await api.GET("/forgot-password", { parseAs: "text" });
  assert.match(page.data ?? "", /^<!doctype html>/);
  const asked = await api.POST("/forgot-password", { body: { email: "bob@example.com" }, parseAs: "text" });
  assert.equal(asked.response.status, 200);
  const token = "A".repeat(43);
  const query = { query: { token } };
  assert.equal((await api.GET("/verify-email", { params: query, parseAs: "text" })).response.status, 400);
  assert.equal((await api.GET("/reset-password", { params: query, parseAs: "text" })).response.status, 400);
  const verification = { token, password: "staple battery horse" };
  assert.equal((await api.POST("/verify-email", { body: verification, parseAs: "text" })).response.status, 400);
  const reset = { token, new_password: "staple battery horse" };
  assert.equal((await api.POST("/reset-password", { body: reset, parseAs: "text" })).response.status, 400);
});

test("every operation of the document was called", async () => {
  const { data } = await client().GET("/openapi.json");
  const declared = Object.entries(data?.["paths"] as Record<string, Record<string, unknown>>).flatMap(([path, item]) =>
    Object.keys(item)
      .filter((method) => method !== "parameters")
      .map((method) => `${method.toUpperCase()} ${path}`),
  );
  assert.ok(declared.length > 20);
  assert.deepEqual([...operations].sort(), declared.sort());
});
