-- +goose Up
CREATE TABLE api_keys (
    id          TEXT PRIMARY KEY,
    owner_id    TEXT NOT NULL REFERENCES users (id),
    name        TEXT NOT NULL,
    secret_hmac TEXT NOT NULL,
    scopes      TEXT NOT NULL,
    expires_at  BIGINT,
    revoked_at  BIGINT,
    created_at  BIGINT NOT NULL
);

CREATE INDEX api_keys_owner ON api_keys (owner_id);

-- The exceptions are few and are read at every start.
CREATE INDEX api_keys_revoked ON api_keys (id) WHERE revoked_at IS NOT NULL;

-- +goose Down
DROP TABLE api_keys;
