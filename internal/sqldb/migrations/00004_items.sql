-- +goose Up
CREATE TABLE items (
    id             TEXT PRIMARY KEY,
    owner_id       TEXT NOT NULL REFERENCES users (id),
    name           TEXT NOT NULL,
    price          DOUBLE PRECISION NOT NULL,
    description    TEXT,
    category       TEXT,
    tags           TEXT,
    width          DOUBLE PRECISION,
    height         DOUBLE PRECISION,
    depth          DOUBLE PRECISION,
    available_from TEXT,
    supplier_email TEXT,
    version        BIGINT NOT NULL,
    created_at     BIGINT NOT NULL,
    updated_at     BIGINT NOT NULL
);

-- Keyset paging, newest first, with and without the filter.
CREATE INDEX items_page ON items (owner_id, created_at DESC, id DESC);
CREATE INDEX items_page_of_category ON items (owner_id, category, created_at DESC, id DESC);

-- +goose Down
DROP TABLE items;
