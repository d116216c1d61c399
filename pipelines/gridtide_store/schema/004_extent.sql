-- What the observations of each series cover. Every insertion keeps it up to date, because
-- reading it from `observation` takes longer with each year of history; `gridtide check`
-- compares the two.
CREATE TABLE extent (
    series          INTEGER NOT NULL,    -- -> series.id
    rows            BIGINT NOT NULL,     -- revisions
    first_start     TIMESTAMPTZ,         -- of the slots whose newest revision has a value,
    last_end        TIMESTAMPTZ,         -- NULL where none has one
    newest_known_at TIMESTAMPTZ NOT NULL,
    simulated       BOOLEAN NOT NULL     -- whether any revision is
);                                       -- key: series

-- Whether a slot has a value, and where it ends, its newest revision decides; for series
-- without an unknown value whose slots are all of one length any revision will do.
INSERT INTO extent
    WITH plain AS (
        SELECT series, count(*) AS rows, min(slot_start) AS first_start,
            max(slot_end) AS last_end, max(known_at) AS newest_known_at,
            bool_or(quality = 'simulated') AS simulated, count(value) < count(*)
                OR count(DISTINCT epoch_us(slot_end) - epoch_us(slot_start)) > 1 AS varied
        FROM observation GROUP BY series
    ), known AS (
        SELECT series, min(slot_start) AS first_start, max(slot_end) AS last_end FROM (
            SELECT series, slot_start, slot_end, value FROM observation
            WHERE series IN (SELECT series FROM plain WHERE varied)
            QUALIFY row_number() OVER (
                PARTITION BY series, slot_start ORDER BY known_at DESC) = 1
        ) WHERE value IS NOT NULL GROUP BY series
    )
    SELECT plain.series, rows,
        CASE WHEN varied THEN known.first_start ELSE plain.first_start END,
        CASE WHEN varied THEN known.last_end ELSE plain.last_end END,
        newest_known_at, simulated
    FROM plain LEFT JOIN known ON known.series = plain.series;
