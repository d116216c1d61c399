-- Weather forecasts as issued, for the forecaster; snapshots do not have them. A run is that of
-- one zone, added whole. Values are whole numbers (the scales are in weather.py and in the view
-- below), so that one takes about three bytes in the file.
CREATE TYPE weather_quantity AS ENUM ('wind_speed_m_s', 'wind_speed_100m_m_s', 'temp_k',
    'dewpoint_k', 'dswrf_w_m2', 'precip_mm', 'cloud_pct');

CREATE TABLE weather_run (
    id          INTEGER NOT NULL,
    zone        TEXT NOT NULL,
    model       TEXT NOT NULL,           -- source, resolution and points: 'gfs_1p00@points1'
    issued_at   TIMESTAMPTZ NOT NULL,    -- when the model began
    known_at    TIMESTAMPTZ NOT NULL,    -- when its last lead time was here; of a past run by rule
    received_at TIMESTAMPTZ NOT NULL,    -- our clock
    source      TEXT NOT NULL,
    simulated   BOOLEAN NOT NULL,
    batch       BIGINT NOT NULL
);                                       -- key: id; and zone, model, issued_at

CREATE TABLE weather (
    run      INTEGER NOT NULL,           -- -> weather_run.id
    quantity weather_quantity NOT NULL,
    lead_h   UTINYINT NOT NULL,          -- lead time in hours
    value    INTEGER                     -- scaled; NULL: the publisher has no value
);                                       -- key: run, quantity, lead_h

-- For people with a DuckDB prompt on a copy of the file.
CREATE VIEW weather_forecast AS
    SELECT zone, model, issued_at, known_at, quantity, lead_h,
        value / CASE quantity WHEN 'precip_mm' THEN 1000.0
            WHEN 'dswrf_w_m2' THEN 10.0 WHEN 'cloud_pct' THEN 10.0 ELSE 100.0 END AS value
    FROM weather JOIN weather_run ON weather_run.id = weather.run;
