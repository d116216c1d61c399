-- A day with gaps is settled once an answer on another day brought nothing new, so what is
-- stored of it must be known. The rows of before do not say, nor whether a settled day was
-- whole or had gaps: all are asked for once more, which adds only what is missing.

DROP TABLE settled;

-- Days (UTC) of a zone that were retrieved after their source had stopped revising them.
CREATE TABLE settled (
    source   TEXT NOT NULL,
    kind     TEXT NOT NULL,
    zone     TEXT NOT NULL,
    day      TEXT NOT NULL,
    asked_at TEXT NOT NULL,              -- when an answer was complete or last brought more
    final    INTEGER NOT NULL,           -- 1: complete, or another day brought nothing new
    covered  REAL NOT NULL,              -- seconds with values, stored for the day by then,
                                         -- added up over series; 0 where it was complete
    PRIMARY KEY (source, kind, zone, day)
) WITHOUT ROWID;
