-- +goose Up
CREATE TABLE clients (
    id            TEXT PRIMARY KEY,
    name          TEXT NOT NULL,
    method        TEXT NOT NULL,
    grant_types   TEXT NOT NULL,
    scopes        TEXT NOT NULL,
    redirect_uris TEXT NOT NULL,
    public_keys   TEXT NOT NULL,
    created_at    BIGINT NOT NULL,
    disabled_at   BIGINT
);

-- Two are in force while a client changes from one to the next.
CREATE TABLE client_secrets (
    secret_sha256 TEXT PRIMARY KEY,
    client_id     TEXT NOT NULL REFERENCES clients (id),
    created_at    BIGINT NOT NULL,
    expires_at    BIGINT
);

CREATE INDEX client_secrets_client ON client_secrets (client_id);

-- +goose Down
DROP TABLE client_secrets;
DROP TABLE clients;
