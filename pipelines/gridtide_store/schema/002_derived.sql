-- What is computed by a documented rule is `derived`, not `measured`. The new word comes last,
-- because snapshots number the words by their order. The rows of before are renamed rather
-- than revised: what was believed, and when, has not changed.
CREATE TYPE quality_2 AS ENUM ('measured', 'estimated', 'nowcast', 'simulated', 'derived');
ALTER TABLE observation ALTER quality TYPE quality_2;
DROP TYPE quality;
UPDATE observation SET quality = 'derived'
    WHERE quality = 'measured' AND series IN (SELECT id FROM series WHERE source LIKE 'derived@%');
