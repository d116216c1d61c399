-- The ledger: what ran, how it went, and what is known of the sources. Times are ISO 8601
-- in UTC. Readable and writable while the store of record is being written.

CREATE TABLE run (
    id        INTEGER PRIMARY KEY,
    command   TEXT NOT NULL,             -- 'refresh', 'import', ...
    args      TEXT NOT NULL,             -- JSON list
    pid       INTEGER NOT NULL,
    started   TEXT NOT NULL,
    finished  TEXT,
    outcome   TEXT NOT NULL              -- 'running', 'done', 'partial', 'failed', 'interrupted'
        CHECK (outcome IN ('running', 'done', 'partial', 'failed', 'interrupted')),
    exit_code INTEGER,
    summary   TEXT                       -- JSON object
);

-- One span of one source in one run.
CREATE TABLE step (
    run     INTEGER NOT NULL REFERENCES run (id),
    source  TEXT NOT NULL,
    kind    TEXT NOT NULL,
    zones   TEXT NOT NULL,               -- JSON list
    "start" TEXT,                        -- the span asked for
    "end"   TEXT,
    status  TEXT NOT NULL,               -- 'done', 'skipped', or the name of what went wrong
    rows    INTEGER NOT NULL,            -- added to the store
    bytes   INTEGER NOT NULL,            -- received
    ms      INTEGER NOT NULL,
    message TEXT NOT NULL
);
CREATE INDEX step_run ON step (run);

-- Spans of a source that were retrieved after it had stopped revising them.
CREATE TABLE settled (
    source  TEXT NOT NULL,
    kind    TEXT NOT NULL,
    scope   TEXT NOT NULL,               -- zones, or '' for all of the source's
    "start" TEXT NOT NULL,
    PRIMARY KEY (source, kind, scope, "start")
) WITHOUT ROWID;

CREATE TABLE source (
    name        TEXT PRIMARY KEY,
    title       TEXT NOT NULL,
    url         TEXT NOT NULL,
    licence     TEXT NOT NULL,
    licence_url TEXT NOT NULL,
    attribution TEXT NOT NULL,
    simulated   INTEGER NOT NULL,
    restricted  INTEGER NOT NULL
) WITHOUT ROWID;

-- Oddities in what a source said, e.g. 'unmapped_code:WIN'.
CREATE TABLE flag (
    source    TEXT NOT NULL,
    flag      TEXT NOT NULL,
    count     INTEGER NOT NULL,
    last_seen TEXT NOT NULL,
    PRIMARY KEY (source, flag)
) WITHOUT ROWID;
