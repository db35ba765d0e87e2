-- +goose Up
-- Scopes come from roles, at the time that they are asked for. An account whose scopes were made of no role gets the one that holds
-- the most of them: before this there was no way to make one but --dev.
ALTER TABLE users ADD COLUMN roles TEXT NOT NULL DEFAULT '';
UPDATE users SET roles = CASE WHEN ' ' || scopes || ' ' LIKE '% admin %' THEN 'admin' WHEN scopes <> '' THEN 'member' ELSE '' END;
ALTER TABLE users DROP COLUMN scopes;

-- An account that has an address which is not proven cannot be used yet.
ALTER TABLE users ADD COLUMN email TEXT;
ALTER TABLE users ADD COLUMN email_verified_at BIGINT;
ALTER TABLE users ADD COLUMN display_name TEXT;
CREATE UNIQUE INDEX users_email ON users (email);

-- Keyset paging, newest first; the registrations that were never proven; what changed since another process looked.
CREATE INDEX users_page ON users (created_at DESC, id DESC) WHERE deleted_at IS NULL;
CREATE INDEX users_unproven ON users (updated_at) WHERE email IS NOT NULL AND email_verified_at IS NULL;
CREATE INDEX users_updated ON users (updated_at);

-- What a mail proves: one token of each purpose for a user, of which the hash is kept.
CREATE TABLE mail_tokens (
    user_id     TEXT NOT NULL REFERENCES users (id),
    purpose     TEXT NOT NULL,
    token_hash  TEXT NOT NULL UNIQUE,
    expires_at  BIGINT NOT NULL,
    consumed_at BIGINT,
    created_at  BIGINT NOT NULL,
    PRIMARY KEY (user_id, purpose)
);

-- +goose Down
DROP TABLE mail_tokens;
DROP INDEX users_updated;
DROP INDEX users_unproven;
DROP INDEX users_page;
DROP INDEX users_email;
ALTER TABLE users DROP COLUMN display_name;
ALTER TABLE users DROP COLUMN email_verified_at;
ALTER TABLE users DROP COLUMN email;
ALTER TABLE users ADD COLUMN scopes TEXT NOT NULL DEFAULT '';
UPDATE users SET scopes = CASE
    WHEN ' ' || roles || ' ' LIKE '% admin %' THEN 'admin items:read items:write users:read'
    WHEN roles <> '' THEN 'items:read items:write users:read' ELSE '' END;
ALTER TABLE users DROP COLUMN roles;
