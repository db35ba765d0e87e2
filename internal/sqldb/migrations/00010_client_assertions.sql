-- +goose Up
-- The assertions that clients have used, until they have expired.
CREATE TABLE client_assertions (
    client_id  TEXT NOT NULL REFERENCES clients (id),
    jti_sha256 TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (client_id, jti_sha256)
);

CREATE INDEX client_assertions_expires ON client_assertions (expires_at);

-- +goose Down
DROP TABLE client_assertions;
