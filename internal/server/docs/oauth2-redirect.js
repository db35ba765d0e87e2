// What an authorization server answers is handed to the window that opened this one, and only where it belongs to the
// request that this browser sent: a foreign state would sign the user in as somebody else (RFC 6749 §10.12).
'use strict';

(() => {
  const request = window.opener && window.opener.swaggerUIRedirectOauth2;
  if (!request) return;
  const answer = new URLSearchParams(location.hash.length > 1 ? location.hash.slice(1) : location.search);
  const name = request.auth.name;
  const fail = (message) => request.errCb({ authId: name, source: 'auth', level: 'error', message });

  if (answer.get('state') !== request.state) {
    fail('the answer does not belong to this sign-in: start again');
  } else if (answer.has('error')) {
    fail([answer.get('error'), answer.get('error_description')].filter(Boolean).join(': '));
  } else if (answer.has('code')) {
    delete request.auth.state;
    request.auth.code = answer.get('code');
    request.callback({ auth: request.auth, redirectUrl: request.redirectUrl });
  } else if (answer.has('access_token')) {
    request.callback({ auth: request.auth, token: Object.fromEntries(answer), isValid: true, redirectUrl: request.redirectUrl });
  } else {
    fail('the authorization server sent neither a code nor a token');
  }
  window.close();
})();
