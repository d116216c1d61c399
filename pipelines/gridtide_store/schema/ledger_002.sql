-- What need not be asked for again, by zone and day instead of by spans of many days. What
-- was noted before does not say whether it was answered with anything: it is asked once more,
-- which adds only what is missing.

DROP TABLE settled;

-- Days (UTC) of a zone that were retrieved after their source had stopped revising them.
CREATE TABLE settled (
    source   TEXT NOT NULL,
    kind     TEXT NOT NULL,
    zone     TEXT NOT NULL,
    day      TEXT NOT NULL,
    asked_at TEXT NOT NULL,              -- when it was answered whole, or first with gaps
    final    INTEGER NOT NULL,           -- 1: whole, or with gaps on two days
    PRIMARY KEY (source, kind, zone, day)
) WITHOUT ROWID;
