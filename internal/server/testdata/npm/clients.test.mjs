// The clients that people use, against the real service: discovery, a code with PKCE, the ID token, refresh, introspection, revocation.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as jose from 'jose'
import * as oauth from 'oauth4webapi'
import * as openid from 'openid-client'
import { Browser } from './browser.mjs'

const { GATEHOUSE_URL: base, GATEHOUSE_USER: username, GATEHOUSE_PASSWORD: password, ALGORITHM: alg } = process.env
const [publicID, webID, webSecret] = [process.env.PUBLIC_ID, process.env.WEB_ID, process.env.WEB_SECRET]
const redirectURI = 'http://127.0.0.1:49152/callback'
const scope = 'openid profile items:read'

// verify holds the tokens against the key set of the service, as a resource server and a client would.
async function verify(metadata, tokens, clientID, nonce) {
  const keys = jose.createRemoteJWKSet(new URL(metadata.jwks_uri))
  const id = await jose.jwtVerify(tokens.id_token, keys, { issuer: base, audience: clientID, algorithms: [alg], typ: 'JWT', requiredClaims: ['auth_time', 'sid', 'at_hash'] })
  assert.equal(id.payload.nonce, nonce)
  const access = await jose.jwtVerify(tokens.access_token, keys, { issuer: base, audience: base, algorithms: [alg], typ: 'at+jwt', requiredClaims: ['jti', 'client_id', 'sid'] })
  assert.equal(access.payload.client_id, clientID)
  assert.equal(access.payload.sub, id.payload.sub)
  await assert.rejects(jose.jwtVerify(tokens.id_token, keys, { issuer: base, audience: clientID, typ: 'at+jwt' }), jose.errors.JWTClaimValidationFailed)
}

for (const [kind, clientID, secret] of [['public', publicID, undefined], ['confidential', webID, webSecret]]) {
  test(`openid-client, a ${kind} client`, async () => {
    const config = await openid.discovery(new URL(base), clientID, { client_secret: secret, id_token_signed_response_alg: alg }, secret ? openid.ClientSecretBasic(secret) : openid.None(), { execute: [openid.allowInsecureRequests] })
    const pkceCodeVerifier = openid.randomPKCECodeVerifier()
    const [expectedState, expectedNonce] = [openid.randomState(), openid.randomNonce()]
    const address = openid.buildAuthorizationUrl(config, {
      redirect_uri: redirectURI, scope, state: expectedState, nonce: expectedNonce, max_age: '3600',
      code_challenge: await openid.calculatePKCECodeChallenge(pkceCodeVerifier), code_challenge_method: 'S256',
    })
    const back = await new Browser(base).authorize(address, username, password)
    const tokens = await openid.authorizationCodeGrant(config, back, { pkceCodeVerifier, expectedState, expectedNonce, idTokenExpected: true, maxAge: 3600 })
    const { sub } = tokens.claims()
    await verify(config.serverMetadata(), tokens, clientID, expectedNonce)
    assert.equal((await openid.fetchUserInfo(config, tokens.access_token, sub)).preferred_username, username)

    const next = await openid.refreshTokenGrant(config, tokens.refresh_token)
    assert.notEqual(next.refresh_token, tokens.refresh_token)
    assert.equal((await openid.fetchUserInfo(config, next.access_token, sub)).sub, sub)
    if (secret) {
      assert.equal((await openid.tokenIntrospection(config, next.access_token)).active, true)
      assert.equal((await openid.clientCredentialsGrant(config, { scope: 'items:read' })).scope, 'items:read')
    }
    await openid.tokenRevocation(config, next.refresh_token)
    if (secret) assert.equal((await openid.tokenIntrospection(config, next.access_token)).active, false)
    await assert.rejects(openid.refreshTokenGrant(config, next.refresh_token), (e) => e.error === 'invalid_grant')
    await assert.rejects(openid.fetchUserInfo(config, next.access_token, sub))
    await assert.rejects(openid.authorizationCodeGrant(config, back, { pkceCodeVerifier, expectedState, expectedNonce, maxAge: 3600 }), (e) => e.error === 'invalid_grant')
  })

  test(`oauth4webapi, a ${kind} client`, async () => {
    const insecure = { [oauth.allowInsecureRequests]: true }
    const as = await oauth.processDiscoveryResponse(new URL(base), await oauth.discoveryRequest(new URL(base), { algorithm: 'oauth2', ...insecure }))
    const client = { client_id: clientID, id_token_signed_response_alg: alg }
    const authentication = secret ? oauth.ClientSecretPost(secret) : oauth.None()
    const verifier = oauth.generateRandomCodeVerifier()
    const [state, nonce] = [oauth.generateRandomState(), oauth.generateRandomNonce()]
    const address = new URL(as.authorization_endpoint)
    address.search = new URLSearchParams({
      client_id: clientID, redirect_uri: redirectURI, response_type: 'code', scope, state, nonce,
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256',
    })
    const back = await new Browser(base).authorize(address, username, password)
    assert.throws(() => oauth.validateAuthResponse(as, client, back, 'another state'))
    const answer = oauth.validateAuthResponse(as, client, back, state)
    const tokens = await oauth.processAuthorizationCodeResponse(as, client,
      await oauth.authorizationCodeGrantRequest(as, client, authentication, answer, redirectURI, verifier, insecure), { expectedNonce: nonce, requireIdToken: true })
    const { sub } = oauth.getValidatedIdTokenClaims(tokens)
    await verify(as, tokens, clientID, nonce)
    const who = await oauth.processUserInfoResponse(as, client, sub, await oauth.userInfoRequest(as, client, tokens.access_token, insecure))
    assert.equal(who.preferred_username, username)
    const next = await oauth.processRefreshTokenResponse(as, client, await oauth.refreshTokenGrantRequest(as, client, authentication, tokens.refresh_token, insecure))
    if (secret) {
      const basic = oauth.ClientSecretBasic(secret)
      const told = await oauth.processIntrospectionResponse(as, client, await oauth.introspectionRequest(as, client, basic, next.access_token, insecure))
      assert.equal(told.active && told.sub, sub)
    }
    await oauth.processRevocationResponse(await oauth.revocationRequest(as, client, authentication, next.access_token, insecure))
    const refused = await oauth.protectedResourceRequest(next.access_token, 'GET', new URL('/protected/bearer', base), undefined, undefined, insecure).catch((e) => e)
    assert.ok(refused instanceof oauth.WWWAuthenticateChallengeError)
    assert.equal(refused.cause[0].parameters.error, 'invalid_token')
    const again = await oauth.refreshTokenGrantRequest(as, client, authentication, next.refresh_token, insecure)
    assert.equal((await oauth.processRefreshTokenResponse(as, client, again)).token_type, 'bearer')
  })
}

test('prompt=none is answered with an error that the clients know', async () => {
  const config = await openid.discovery(new URL(base), publicID, { id_token_signed_response_alg: alg }, openid.None(), { execute: [openid.allowInsecureRequests] })
  const address = openid.buildAuthorizationUrl(config, { redirect_uri: redirectURI, scope, state: 's', prompt: 'none', code_challenge: await openid.calculatePKCECodeChallenge('v'.repeat(43)), code_challenge_method: 'S256' })
  const back = await new Browser(base).authorize(address, username, password)
  await assert.rejects(openid.authorizationCodeGrant(config, back, { pkceCodeVerifier: 'v'.repeat(43), expectedState: 's' }), (e) => e.error === 'login_required')
})
