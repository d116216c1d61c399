"""The simulated grids: a dozen, under the names of real zones.

Sizes are of the order of the real ones (their load and capacity around 2024), so that maps
and tables look familiar; no figure is a claim about a real grid.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from gridtide_pipelines.simulation.grid import Grid

HALF_HOUR = timedelta(minutes=30)

GRIDS = (
    Grid(
        "US-CAL-CISO", "America/Los_Angeles", 36.99, -120.31, 26_000,
        {"nuclear": 2_300, "geothermal": 900, "hydro": 6_000, "wind": 6_500, "solar": 19_000,
         "battery_storage": 6_000, "gas": 27_000},
        ("gas",), winter=0.0, summer=0.2,
    ),
    Grid(
        "US-TEX-ERCO", "America/Chicago", 30.51, -98.77, 52_000,
        {"nuclear": 5_100, "wind": 38_000, "solar": 20_000, "battery_storage": 4_000,
         "coal": 13_500, "gas": 55_000},
        ("coal", "gas"), winter=0.05, summer=0.3,
    ),
    Grid(
        "US-MIDA-PJM", "America/New_York", 39.12, -81.88, 90_000,
        {"nuclear": 33_000, "hydro": 3_000, "wind": 12_000, "solar": 15_000,
         "hydro_storage": 5_000, "coal": 25_000, "gas": 80_000},
        ("coal", "gas"), winter=0.12, summer=0.2,
    ),
    Grid(
        "CA-ON", "America/Toronto", 47.32, -83.11, 16_000,
        {"nuclear": 9_500, "hydro": 8_000, "wind": 4_900, "solar": 500, "gas": 10_000},
        ("hydro", "gas"), winter=0.1, summer=0.12,
    ),
    Grid(
        "CA-AB", "America/Edmonton", 51.88, -116.52, 10_000,
        {"hydro": 900, "wind": 4_500, "solar": 1_600, "biomass": 400, "gas": 13_000},
        ("gas",), winter=0.08,
    ),
    Grid(
        "DE", "Europe/Berlin", 51.4, 10.47, 54_000,
        {"biomass": 8_500, "hydro": 4_800, "wind": 70_000, "solar": 85_000,
         "hydro_storage": 6_000, "coal": 30_000, "gas": 30_000},
        ("coal", "gas"), winter=0.12,
    ),
    Grid(
        "FR", "Europe/Paris", 46.05, 3.42, 51_000,
        {"nuclear": 42_000, "biomass": 700, "wind": 23_000, "solar": 20_000,
         "hydro_storage": 3_500, "hydro": 18_000, "gas": 12_000},
        ("hydro", "gas"), winter=0.25,
    ),
    Grid(
        "GB", "Europe/London", 54.75, -3.84, 29_000,
        {"nuclear": 5_000, "biomass": 3_800, "hydro": 1_200, "wind": 30_000, "solar": 17_000,
         "hydro_storage": 2_500, "gas": 32_000},
        ("gas",), winter=0.2, step=HALF_HOUR,
    ),
    Grid(
        "PL", "Europe/Warsaw", 51.79, 18.76, 18_500,
        {"biomass": 800, "hydro": 500, "wind": 10_000, "solar": 17_000, "coal": 24_000,
         "gas": 5_000},
        ("coal", "gas"), winter=0.1,
    ),
    Grid(
        "NO-NO2", "Europe/Oslo", 59.24, 6.88, 5_000,
        {"wind": 1_500, "hydro": 9_500},
        ("hydro",), winter=0.25,
    ),
    Grid(
        "AU-NSW", "Australia/Sydney", -32.79, 148.92, 8_200,
        {"wind": 2_900, "solar": 9_500, "battery_storage": 900, "coal": 7_800, "hydro": 2_500,
         "gas": 2_000},
        ("coal", "hydro", "gas"), winter=0.08, summer=0.08, step=HALF_HOUR,
    ),
    Grid(
        "AU-SA", "Australia/Adelaide", -34.16, 136.81, 1_500,
        {"wind": 2_400, "solar": 2_700, "battery_storage": 500, "gas": 2_800},
        ("gas",), winter=0.05, summer=0.1, step=HALF_HOUR,
    ),
)  # fmt: skip


def invent_zones(count: int) -> list[Grid]:
    """Return `count` zones ``SIM-000``, ``SIM-001``, … like those above, with own weather.

    For measurements of load and scale; they are hourly.
    """
    return [
        replace(
            GRIDS[i % len(GRIDS)],
            zone=f"SIM-{i:03}",
            lon=(GRIDS[i % len(GRIDS)].lon + i // len(GRIDS) + 180) % 360 - 180,
            step=timedelta(hours=1),
        )
        for i in range(count)
    ]
