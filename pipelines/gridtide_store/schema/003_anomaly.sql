-- Values of a publisher that need a look. Those that are not in a series are kept here, up to
-- a number for each source and day; of what is beyond it only the number is kept, below.
-- Which flags are in a series, and how many are kept, is written in anomalies.py.
CREATE TABLE anomaly (
    id           BIGINT NOT NULL,
    zone         TEXT NOT NULL,
    signal       TEXT NOT NULL,
    source       TEXT NOT NULL,
    slot_start   TIMESTAMPTZ NOT NULL,
    slot_end     TIMESTAMPTZ NOT NULL,
    value        DOUBLE,                 -- as the publisher said it; NULL: it named no number
    quality      TEXT NOT NULL,
    issued_at    TIMESTAMPTZ,            -- of a publisher's forecast; NULL: an observation
    flag         TEXT NOT NULL,          -- 'implausible', 'unmapped_code:WIN', ...
    known_at     TIMESTAMPTZ NOT NULL,   -- when it was first received
    retrieval_id BIGINT NOT NULL,        -- -> retrieval.id
    batch        BIGINT NOT NULL,
    accepted_at  TIMESTAMPTZ,            -- when it was taken into its series by hand
    note         TEXT NOT NULL           -- who accepted it and why; '' before
);                                       -- key: id; and zone, signal, source, slot, flag, value

-- How many anomalies of a source were not kept on a day, because there were too many. One that
-- comes again counts again.
CREATE TABLE anomaly_left_out (
    source TEXT NOT NULL,
    day    DATE NOT NULL,                -- UTC, of known_at
    count  BIGINT NOT NULL
);                                       -- key: source, day

-- What a body is kept by when it is old: its day, source and kind, or a value that is served.
ALTER TABLE retrieval ADD COLUMN kind TEXT DEFAULT '';
ALTER TABLE retrieval ADD COLUMN stored_bytes BIGINT;   -- of the file; NULL: of an older gridtide
ALTER TABLE retrieval ADD COLUMN kept_as TEXT DEFAULT ''; -- 'first', 'served'; '': not judged yet

-- When a publisher last repeated this forecast without a change; NULL: never.
ALTER TABLE run ADD COLUMN seen_at TIMESTAMPTZ;
