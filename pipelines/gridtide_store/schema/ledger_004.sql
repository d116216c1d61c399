-- How long after its end a slot of the source is usually published; NULL: not known.
ALTER TABLE source ADD COLUMN lag_seconds REAL;
