-- The store of record. Append-only and bitemporal: valid time is the slot, knowledge time is
-- known_at; together they answer "what did we believe then". Times are UTC.
--
-- The big tables (observation, step) have neither primary nor foreign keys: their indexes
-- make the file fifteen times as big and a bulk insert several times slower, for the same
-- query times. The single writer keeps keys unique; `gridtide check` proves it.

-- One number for each bookkeeping name. 'schema': the newest migration applied. 'batch': the
-- newest insertion. 'derived:<rule>': the newest insertion that rule has derived from.
CREATE TABLE meta (
    name  TEXT NOT NULL,
    value BIGINT NOT NULL
);

CREATE TYPE quality AS ENUM ('measured', 'estimated', 'nowcast', 'simulated');

-- What is measured where by whom. Numbered, because three texts a row cost the join of an
-- append several times what an integer does.
CREATE TABLE series (
    id     INTEGER NOT NULL,
    zone   TEXT NOT NULL,                -- 'DE'; 'FR->GB' for a flow
    signal TEXT NOT NULL,                -- 'ci_direct_consumed', 'generation_wind', 'load', ...
    source TEXT NOT NULL                 -- publisher, or 'derived@<factors>/<publisher>'
);                                       -- key: zone, signal, source

-- One request and the body that came back; the body itself is a file under raw/.
CREATE TABLE retrieval (
    id          BIGINT NOT NULL,         -- a UUID would make the store five times as big
    source      TEXT NOT NULL,
    address     TEXT NOT NULL,           -- what was asked, without credentials; or a file's name
    known_at    TIMESTAMPTZ NOT NULL,    -- when the body was here
    body_sha256 TEXT NOT NULL,           -- of the content as received
    body_bytes  BIGINT NOT NULL,         -- size as received
    expired_at  TIMESTAMPTZ              -- when the body was deleted; NULL: it is kept
);                                       -- key: id

-- One belief: what a source said of the mean over a slot. A revision is one more row.
CREATE TABLE observation (
    series       INTEGER NOT NULL,       -- -> series.id
    slot_start   TIMESTAMPTZ NOT NULL,   -- valid time, [slot_start, slot_end)
    slot_end     TIMESTAMPTZ NOT NULL,
    value        DOUBLE,                 -- NULL: withdrawn, or known to be unknown
    quality      quality NOT NULL,
    known_at     TIMESTAMPTZ NOT NULL,   -- knowledge time; increases strictly within a key
    retrieval_id BIGINT NOT NULL,        -- -> retrieval.id
    batch        BIGINT NOT NULL         -- which insertion; an import may add old known_at late
);                                       -- key: series, slot_start, known_at

-- One forecast as issued. Runs are added whole and never mixed.
CREATE TABLE run (
    id        BIGINT NOT NULL,
    zone      TEXT NOT NULL,
    signal    TEXT NOT NULL,
    model     TEXT NOT NULL,             -- 'prophet@1', or the publisher
    issued_at TIMESTAMPTZ NOT NULL,      -- the forecaster's clock
    known_at  TIMESTAMPTZ NOT NULL,      -- our clock; backtests filter on this one
    source    TEXT NOT NULL,             -- what history it was made from
    simulated BOOLEAN NOT NULL,
    batch     BIGINT NOT NULL
);                                       -- key: zone, signal, model, issued_at

CREATE TABLE step (
    run        BIGINT NOT NULL,          -- -> run.id
    slot_start TIMESTAMPTZ NOT NULL,
    slot_end   TIMESTAMPTZ NOT NULL,
    p10        DOUBLE,
    p50        DOUBLE NOT NULL,
    p90        DOUBLE
);                                       -- key: run, slot_start

-- For people with a DuckDB prompt on a copy of the file.
CREATE VIEW belief AS
    SELECT zone, signal, source, slot_start, slot_end, value, quality, known_at, retrieval_id
    FROM observation JOIN series ON series.id = observation.series;

CREATE MACRO belief_as_of(moment) AS TABLE
    SELECT * FROM belief WHERE known_at <= moment
    QUALIFY row_number() OVER (
        PARTITION BY zone, signal, source, slot_start ORDER BY known_at DESC) = 1;
