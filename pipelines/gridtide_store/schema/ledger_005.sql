-- Days are requested again at intervals that grow with their age, so the last answer about each
-- counts as well, young days included. What was settled before stays as it was.

CREATE TABLE answered (
    source      TEXT NOT NULL,
    kind        TEXT NOT NULL,
    zone        TEXT NOT NULL,
    day         TEXT NOT NULL,           -- UTC
    answered_at TEXT NOT NULL,           -- the last answer about all of it
    news_at     TEXT NOT NULL,           -- when an answer was complete or last brought more
    final       INTEGER NOT NULL,        -- 1: complete, or another day brought nothing new
    covered     REAL,                    -- seconds with values, stored for the day by then,
                                         -- added up over series; NULL where it was complete
    PRIMARY KEY (source, kind, zone, day)
) WITHOUT ROWID;

INSERT INTO answered
SELECT source, kind, zone, day, asked_at, asked_at, final,
       CASE WHEN final AND covered = 0 THEN NULL ELSE covered END
FROM settled;

DROP TABLE settled;
