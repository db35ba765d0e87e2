-- +goose Up
-- Made anew instead of altered: the columns have no sensible default, and SQLite drops no column that an index names.
CREATE TABLE signing_keys_with_life (
    kid         TEXT PRIMARY KEY,
    -- The order in which keys were made. Two keys of one generation would be two that sign at once.
    generation  BIGINT NOT NULL UNIQUE,
    algorithm   TEXT NOT NULL,
    -- Empty once the key is gone or revoked.
    private_key TEXT NOT NULL,
    public_key  TEXT NOT NULL,
    created_at  BIGINT NOT NULL,
    -- A key signs until the next one does, so that nothing else has to be kept about its end.
    signs_from  BIGINT NOT NULL,
    revoked_at  BIGINT
);

-- A key that was retired before there was a life was out of force at once, which is what revoked means now.
INSERT INTO signing_keys_with_life (kid, generation, algorithm, private_key, public_key, created_at, signs_from, revoked_at)
SELECT kid, ROW_NUMBER() OVER (ORDER BY created_at, kid), algorithm, private_key, public_key, created_at, created_at, retired_at
FROM signing_keys;

DROP TABLE signing_keys;
ALTER TABLE signing_keys_with_life RENAME TO signing_keys;

-- One row. Each change of signing_keys moves it on, on the condition that it stands where the change was decided: of all
-- processes that decide at once, one makes its change and the others look again.
CREATE TABLE signing_key_generation (
    id         INTEGER PRIMARY KEY CHECK (id = 1),
    generation BIGINT NOT NULL
);
INSERT INTO signing_key_generation (id, generation) SELECT 1, COUNT(*) FROM signing_keys;

-- +goose Down
DROP TABLE signing_key_generation;

CREATE TABLE signing_keys_without_life (
    kid         TEXT PRIMARY KEY,
    algorithm   TEXT NOT NULL,
    private_key TEXT NOT NULL,
    public_key  TEXT NOT NULL,
    created_at  BIGINT NOT NULL,
    retired_at  BIGINT
);

-- Of each algorithm one key may be in force: the newest.
INSERT INTO signing_keys_without_life (kid, algorithm, private_key, public_key, created_at, retired_at)
SELECT kid, algorithm, private_key, public_key, created_at,
    COALESCE(revoked_at, (
        SELECT MIN(later.created_at) FROM signing_keys AS later
        WHERE later.generation > signing_keys.generation AND later.algorithm = signing_keys.algorithm AND later.revoked_at IS NULL
    ))
FROM signing_keys;

DROP TABLE signing_keys;
ALTER TABLE signing_keys_without_life RENAME TO signing_keys;
CREATE UNIQUE INDEX signing_keys_active ON signing_keys (algorithm) WHERE retired_at IS NULL;
