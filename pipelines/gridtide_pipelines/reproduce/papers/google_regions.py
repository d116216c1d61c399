"""Google Cloud regions by carbon-free energy and by carbon intensity, 2019 to 2024.

The figures are Google's; what is checked is our ranking of them by `best_region`, as a user
would request it: the rank of each region must be one more than the number of regions whose
published figure is cleaner, and a region without a published share stays unknown. Intensities
of 2019 and 2020 are lifecycle, later ones operational and gross: compare within a year only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gridtide.errors import BadInput
from gridtide.model import Quality, Series, Signal
from gridtide.windows import best_region
from gridtide_pipelines.reproduce.figures import Kind, Reproduction, Row, compare, read_printed

UNKNOWN = "unknown"
INTENSITIES = {
    "lifecycle": Signal.CI_LIFECYCLE_CONSUMED,
    "operational gross": Signal.CI_DIRECT_CONSUMED,
}


def run(data: Path | None) -> list[Row]:
    """Rank each region in each year, by share and by intensity; needs no `data`."""
    return [
        row
        for year, table in read_printed("google_regions").items()
        for row in _of_year(int(year), table)
    ]


def ranking(figures: Mapping[str, float | None], year: int, signal: Signal) -> dict[str, int]:
    """Return the rank of each region with a known figure, by `best_region`.

    Equals share one.
    """
    start, end = datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC)
    series = {
        region: Series.regular(region, signal, start, end - start, [figure], Quality.ESTIMATED)
        for region, figure in figures.items()
    }
    places: dict[str, int] = {}
    place, cleaner_mean = 0, None
    for position, choice in enumerate(best_region(series, end - start, start=start), start=1):
        if choice.window is None:
            continue
        if choice.window.mean != cleaner_mean:
            place, cleaner_mean = position, choice.window.mean
        places[choice.region] = place
    return places


def _of_year(year: int, table: Mapping[str, Any]) -> Iterator[Row]:
    basis = table["basis"]
    if basis not in INTENSITIES:
        raise BadInput(f"google-regions: {year} has the unknown basis {basis!r}")
    measures = (
        ("carbon-free energy", Signal.CFE_CONSUMED, 0, "fraction"),
        (f"{basis} intensity", INTENSITIES[basis], 1, "gCO2e/kWh"),
    )
    for words, signal, column, unit in measures:
        figures: dict[str, float | None] = {
            region: None if pair[column] == UNKNOWN else float(pair[column])
            for region, pair in table["regions"].items()
        }
        ours = ranking(figures, year, signal)
        for region, figure in figures.items():
            yield compare(
                f"{year}, {words}, {region}",
                _position(figures, figure, signal),
                ours.get(region, UNKNOWN),
                kind=Kind.RANKING,
                tolerance=0,
                unit="place",
                note=UNKNOWN if figure is None else f"{figure:g} {unit}",
            )


def _position(
    figures: Mapping[str, float | None], figure: float | None, signal: Signal
) -> int | str:
    """Return one more than the number of regions whose published figure is cleaner."""
    if figure is None:
        return UNKNOWN
    known = [each for each in figures.values() if each is not None]
    if signal.lower_is_cleaner:
        return 1 + sum(each < figure for each in known)
    return 1 + sum(each > figure for each in known)


REPRODUCTION = Reproduction(
    name="google-regions",
    title="Google Cloud regions ranked by carbon-free energy and by intensity, by year",
    citation="GoogleCloudPlatform/region-carbon-info, data/yearly (Apache-2.0)",
    original="",
    run=run,
)
