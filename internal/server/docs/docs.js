// Starts Swagger UI on the document of this server and keeps what "Authorize" obtained over a reload.
'use strict';

(() => {
  // Swagger UI's own persistAuthorization writes everything that was typed, passwords and client secrets included,
  // into localStorage, where it outlives the session and every later script of this origin can read it. This keeps
  // only what can be revoked by itself: access tokens until they end, and API keys.
  const store = 'gatehouse.docs.authorized';
  let system, schemes = {}, paths = {};

  const isHTTP = (scheme, name) => scheme.type === 'http' && scheme.scheme.toLowerCase() === name;
  const isToken = (scheme) => scheme.type === 'oauth2' || scheme.type === 'openIdConnect';
  const isKey = (scheme) => scheme.type === 'apiKey' || isHTTP(scheme, 'bearer');
  const isCookie = (scheme) => scheme.type === 'apiKey' && scheme.in === 'cookie';

  function changed() {
    const authorized = system.authSelectors.authorized().toJS();
    const kept = {};
    for (const [name, scheme] of Object.entries(schemes)) {
      const { value, token } = authorized[name] || {};
      if (isToken(scheme) && token && token.access_token) {
        const { access_token, token_type, scope, expires } = token;
        kept[name] = { access_token, token_type, scope, expires };
      } else if (isKey(scheme) && typeof value === 'string' && value) {
        kept[name] = value;
      }
      if (isCookie(scheme)) setCookie(scheme, name, kept[name]);
    }
    localStorage.setItem(store, JSON.stringify(kept));
  }

  function restore() {
    let kept = {};
    try {
      kept = JSON.parse(localStorage.getItem(store)) || {};
    } catch { /* not ours: changed() overwrites it */ }
    for (const [name, value] of Object.entries(kept)) {
      const scheme = schemes[name];
      if (!scheme || !value) continue; // the document has changed since
      if (isKey(scheme) && typeof value === 'string') {
        system.authActions.authorize({ [name]: { name, schema: scheme, value } });
      } else if (isToken(scheme) && value.expires > Date.now()) {
        const scopes = (value.scope || '').split(' ').filter(Boolean);
        system.authActions.authorizeOauth2({ auth: { name, schema: scheme, scopes }, token: value });
      }
    }
    changed();
  }

  // A script may not set the Cookie header of a request, so a key for a cookie becomes a cookie of this origin, for the
  // paths alone that take it, and never sent from another site.
  const cookiePaths = (name) => Object.entries(paths)
    .filter(([, item]) => Object.values(item).some((op) => (op.security || []).some((one) => name in one)))
    .map(([path]) => path.split('{')[0]);

  function setCookie(scheme, name, value) {
    // What a cookie cannot hold (RFC 6265 §4.1.1) is no key of this service.
    const keep = value && /^[!#-+\--:<-[\]-~]+$/.test(value);
    for (const path of cookiePaths(name)) {
      document.cookie = `${scheme.name}=${keep ? value : ''}; Path=${path}; SameSite=Strict`
        + (location.protocol === 'https:' ? '; Secure' : '') + (keep ? '' : '; Max-Age=0');
    }
  }

  function intercept(request) {
    // Without this a 401 with a Basic challenge opens the browser's own login window, and what is typed there goes
    // with every later request whatever this page shows as authorized.
    const path = new URL(request.url, location.href).pathname;
    const takesCookie = Object.entries(schemes)
      .some(([name, scheme]) => isCookie(scheme) && cookiePaths(name).some((prefix) => path.startsWith(prefix)));
    request.credentials = takesCookie ? 'same-origin' : 'omit';
    if (request.headers) delete request.headers.Cookie;
    return request;
  }

  // btoa takes each character for a byte; RFC 7617 with charset="UTF-8" wants the bytes of UTF-8.
  const bytes = (text) => String.fromCharCode(...new TextEncoder().encode(text || ''));

  // What an operation says of its limits, or the root for all that say nothing, stands in extensions, which Swagger UI does not show. A limit
  // of the root counts only where there is what it counts by.
  function describeLimits(spec) {
    const basic = Object.entries((spec.components || {}).securitySchemes || {}).filter(([, s]) => isHTTP(s, 'basic')).map(([name]) => name);
    for (const item of Object.values(spec.paths || {})) {
      for (const operation of Object.values(item)) {
        if (!operation || !operation.responses) continue;
        const security = operation.security || [];
        const counts = ({ by, member }) => by === 'address' || member
          || (by === 'account' ? security.some((one) => basic.some((name) => name in one)) : security.length > 0);
        const limits = (operation['x-rate-limit'] || spec['x-rate-limit'] || []).filter(counts).map((l) => `${l.name}: ${l.quota} in ${l.window} s by ${l.by}`
          + (l.member ? ` in ${l.member}` : '') + (l.burst ? `, ${l.burst} at once` : '') + (l.cost > 1 ? `, a request counts ${l.cost}` : ''));
        operation.description = `${operation.description || ''}\n\nLimits: ${limits.join('; ') || 'none'}.`;
      }
    }
    return spec;
  }

  const plugin = (sys) => {
    system = sys;
    const then = (original, after) => (...args) => {
      const result = original(...args);
      after();
      return result;
    };
    return {
      statePlugins: {
        auth: {
          wrapActions: {
            authorize: (original) => then(original, changed),
            logout: (original) => then(original, changed),
            // The password and the client secret have done their work: they leave memory, too.
            authorizeOauth2: (original) => then(({ auth, token }) => original({
              auth: { ...auth, password: '', clientSecret: '' },
              token: { ...token, expires: token.expires || Date.now() + (token.expires_in || 0) * 1000 },
            }), changed),
            // Swagger UI sends "Authorization: Basic Og==" for a client that has neither id nor secret. A public
            // client names itself in the body (RFC 6749 §3.2.1).
            authorizePassword: (original) => (auth) =>
              original(auth.clientSecret ? auth : { ...auth, passwordType: 'request-body' }),
            // No scope means all that the user holds; "scope=" with nothing in it is not a scope (RFC 6749 §3.3).
            authorizeRequest: (original) => (data) =>
              original({ ...data, body: data.body.replace(/(^|&)scope=(?=&|$)/, '') }),
          },
        },
        spec: {
          wrapActions: {
            updateJsonSpec: (original) => (spec) => original(describeLimits(spec)),
            executeRequest: (original) => (request) => {
              const authorized = { ...(request.securities && request.securities.authorized) };
              for (const [name, scheme] of Object.entries(schemes)) {
                const auth = authorized[name];
                if (!auth || !isHTTP(scheme, 'basic')) continue;
                const { username, password } = auth.value;
                authorized[name] = { ...auth, value: { username: bytes(username), password: bytes(password) } };
              }
              return original({ ...request, securities: { ...request.securities, authorized } });
            },
          },
        },
      },
    };
  };

  const page = SwaggerUIBundle({
    dom_id: '#docs',
    url: new URL('openapi.json', location.href).href,
    oauth2RedirectUrl: new URL('docs/oauth2-redirect.html', location.href).href,
    validatorUrl: null, // would send this document to another origin
    deepLinking: true,
    displayRequestDuration: true,
    tryItOutEnabled: true,
    defaultModelsExpandDepth: 0,
    requestInterceptor: intercept,
    plugins: [plugin],
    onComplete: () => {
      const document = system.specSelectors.specJson().toJS();
      schemes = (document.components && document.components.securitySchemes) || {};
      paths = document.paths || {};
      restore();
    },
  });
  // The built-in client has no secret: the code that comes back is bound to this page by PKCE (RFC 7636).
  page.initOAuth({ clientId: 'first-party', usePkceWithAuthorizationCodeGrant: true });
})();
