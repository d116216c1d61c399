"""Every simulated publisher answers what is planned, with values of the simulated grid."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import polars as pl
import pytest

from gridtide_pipelines.errors import NothingYet
from gridtide_pipelines.ingest.limits import DEFAULT
from gridtide_pipelines.ingest.local_time import AMBIGUOUS, midnight
from gridtide_pipelines.ingest.schedule import DAY
from gridtide_pipelines.ingest.source import PARTIAL, Kind, Query, Source, Span
from gridtide_pipelines.ingest.tasks import Task, plan
from gridtide_pipelines.replay.publishers.eia import filed_early
from gridtide_pipelines.replay.values import demand, expected, flow, mix, price
from gridtide_store import catalogue
from gridtide_store.ledger import Ledger
from gridtide_store.vocabulary import GENERATION
from tests.replay.playing import SIMULATED, SOURCES, bodies_of

HOUR = timedelta(hours=1)
HALF_YEAR = datetime(2026, 7, 1, 5, 7, tzinfo=UTC)
USUAL = datetime(2026, 3, 4, 12, 7, tzinfo=UTC)
# Fuels that stand for themselves with every publisher that names them.
NAMED = ("coal", "nuclear", "solar", "wind")
# Signals, or sums of all fuels, that are not those of the simulated grid, and why.
DIFFER = {
    # Authorities are merged, and hours filed under another label, after parsing.
    "eia": ("sum",),
    "eia_bulk": ("sum",),
    # All power comes over one border, which has no values of its own.
    "kraftnat_aland": ("flow",),
    # Only the part of the wind power that is metered is forecast.
    "neso": ("generation_wind ahead",),
    # What comes over the cables is the rest of the load.
    "other_canada": ("flow",),
    # Two islands have one body, with the values of the first.
    "ree": ("generation_nuclear", "generation_solar", "generation_wind", "sum"),
    # One fuel of a province stands for all but wind.
    "statcan_hfed": ("generation_coal", "sum"),
    # Shares, imports among them.
    "uk_carbon_intensity": ("sum",),
}
# Sources of which today brings the newest hours alone, or the local day.
NEWEST = ("aemo", "aeso", "miso", "nbpower", "other_canada", "spp")
# Slots that lack a part which comes later: rooftops.
LATE = {"aemo": 7}
# What is printed, and stored as unknown: rooftops come later, or are not in the file.
NOT_STORED = dict.fromkeys(("aemo", "aemo_wem"), ("generation_solar",))
# Signals of which there are forecasts.
AHEAD = {
    "generation_solar": {
        *("aeso", "caiso", "eirgrid", "elexon", "energinet", "energy_charts", "entsoe"),
        *("ercot", "ieso", "isone", "miso", "pjm"),
    },
    "generation_wind": {
        *("aeso", "caiso", "eirgrid", "elexon", "energinet", "energy_charts", "entsoe"),
        *("ercot", "ieso", "isone", "miso", "neso"),
    },
    "load": {
        *("aemo", "caiso", "eia", "eia_bulk", "eirgrid", "elexon", "energy_charts", "entsoe"),
        *("ercot", "isone", "miso", "nbpower", "nyiso", "rte"),
    },
}
# A country without neighbours has no flows.
NOTHING = [("energy_charts", Kind.FLOW, ("CY",))]


def times(source: Source) -> Sequence[datetime]:
    """The evenings of the days on which the clocks of a zone of the source change.

    Where they do not it is any time; in Australia publishers keep one offset all year. Files
    of six months are small at their beginning.
    """
    if source.bulk:
        return [HALF_YEAR]
    timezone = catalogue.load().zones[min(source.zones)].timezone
    if timezone.startswith("Australia"):
        return [USUAL]
    begins = [midnight(USUAL.date() + n * DAY, timezone) for n in range(300)]
    changed = [after for day, after in pairwise(begins) if after - day != DAY]
    return [after - timedelta(minutes=67) for after in changed] or [USUAL]


def planned(source: Source, ledger: Ledger) -> Iterator[tuple[Kind, Span, pl.DataFrame]]:
    """Yield kind and time of each group that is planned of a zone, and what it brings."""
    moments = times(source)
    for number, now in enumerate(moments):
        zones = sorted(source.zones)
        zone = zones[number * len(zones) // len(moments)]
        # Archives of AEMO have 130,000 values a day: one of them is a test of its own.
        since = now if source.name == "aemo" else now - source.lag
        tasks = plan([source], [zone], ledger=ledger, now=now, since=since)
        if source.bulk:  # a backfill requests it
            span = Span(now - HOUR, now)
            tasks = [Task(source, kind, (zone,), span) for kind in source.kinds]
        for task in tasks:
            if number and task.kind is Kind.FORECAST:
                continue  # it is of the days after
            query = Query(task.kind, task.zones, task.span.start, task.span.end, now)
            for bodies in bodies_of(source, query):
                limits, lengths = DEFAULT.of(source), [len(body.content) for body in bodies]
                assert max(lengths) <= limits.body
                assert sum(lengths) <= limits.group
                request = bodies[0].request
                span = request.span or task.span
                known = Span(span.start, min(span.end, now - source.lag))
                try:
                    yield task.kind, known, source.parse(bodies)
                except NothingYet:
                    about = (source.name, task.kind, request.zones)
                    assert known.start >= known.end or about in NOTHING, request.address


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Ledger:
    return Ledger(tmp_path_factory.mktemp("plan") / "ledger.sqlite")


@pytest.mark.parametrize("name", SIMULATED)
def test_all_that_is_planned_brings_the_values_of_the_simulated_grid(
    name: str, ledger: Ledger
) -> None:
    found = list(planned(SOURCES[name], ledger))
    assert {kind for kind, _, _ in found} == SOURCES[name].kinds
    whole = pl.concat(rows for _, _, rows in found)
    foreseen = set(whole.filter(pl.col("issued_at").is_not_null())["signal"])
    assert foreseen & AHEAD.keys() == {each for each, names in AHEAD.items() if name in names}
    partial = whole.filter(pl.col("flag").str.contains(PARTIAL))["signal"]
    assert set(partial) <= set(NOT_STORED.get(name, ()))
    for _, known, rows in found:
        assert rows.height
        parts = rows.sort("start").with_columns(
            length=pl.col("end") - pl.col("start"), ahead=pl.col("issued_at").is_not_null()
        )
        for (zone, length, signal, _), mine in parts.group_by(
            "zone", "length", "signal", "ahead"
        ):
            compare(name, zone, length, signal, mine)
            check_time(SOURCES[name], known, length, mine)
        check_sums(name, parts)


def check_time(source: Source, known: Span, length: timedelta, rows: pl.DataFrame) -> None:
    """Check that the slots of a signal follow one another, and are those that are known."""
    first, last = rows["start"][0], rows["end"][-1]
    assert rows.height == (last - first) // length
    if source.name not in NEWEST and (source.reach is None or source.reach > DAY):
        assert first <= known.start + 2 * length
    assert last >= known.end - 2 * length


def compare(name: str, zone: str, length: timedelta, signal: str, rows: pl.DataFrame) -> None:
    """Compare the values of a signal of a zone with those of its simulated grid."""
    first, _, second = zone.partition("->")
    ahead = rows["ahead"][0]
    starts, fuel = rows["start"].to_list(), signal.removeprefix(GENERATION)
    slots = slots_of(first, length, rows)
    assert slots["start"].to_list() == starts, (name, zone, signal)
    unknown = rows["value"].is_null()
    late = rows.filter(unknown & rows["flag"].ne_missing(AMBIGUOUS)).height
    assert late <= LATE.get(name, 0), (name, zone, signal)
    if name == "eia_bulk" and filed_early(first, Kind.LOAD):
        return  # corrected after parsing
    if (f"{signal} ahead" if ahead else signal) in DIFFER.get(name, ()):
        return
    if signal == "load":
        true = demand(slots)
    elif signal == "flow":
        true = flow(first, second, starts)
    elif signal.startswith("price") and signal != "price_dkk":
        true = price(slots)
    elif fuel in NAMED:
        true = slots[fuel].to_numpy() if fuel in slots.columns else np.zeros(len(starts))
    else:
        return
    true = expected(zone, fuel, true, starts) if ahead else true
    difference = np.abs(rows["value"].to_numpy() - true)[~unknown.to_numpy()]
    assert difference.max() < 1.1, (name, zone, signal)


def check_sums(name: str, rows: pl.DataFrame) -> None:
    """Compare what all fuels of a zone generate with the mix of its simulated grid."""
    fuels = rows.filter(
        pl.col("signal").str.starts_with(GENERATION),
        ~pl.col("ahead"),
        pl.col("value").is_not_null(),
    )
    if "sum" in DIFFER.get(name, ()):
        return
    sums = fuels.group_by("zone", "length", "start", maintain_order=True).agg(
        pl.col("value").sum()
    )
    for (zone, length), mine in sums.group_by("zone", "length"):
        true = demand(slots_of(zone, length, mine))
        assert np.abs(mine["value"].to_numpy() - true).max() < 6, (name, zone)


def slots_of(zone: str, length: timedelta, rows: pl.DataFrame) -> pl.DataFrame:
    """Return the mix of the slots of sorted rows, which may begin at half past."""
    first, end = rows["start"][0], rows["start"][-1] + length
    slots = mix(zone, first, end, length)
    if first.minute and length == HOUR:
        halves = mix(zone, first, end, HOUR / 2)
        slots = halves.group_by_dynamic("start", every="1h", offset="30m").agg(
            pl.col("end").last(), pl.exclude("start", "end").mean()
        )
    return slots if slots.height == rows.height else slots.join(rows, on="start", how="semi")


def test_the_archive_of_a_day_of_aemo_has_the_values_of_the_simulated_grid() -> None:
    source, end = SOURCES["aemo"], midnight(USUAL.date(), timedelta(hours=10))
    query = Query(Kind.LOAD, tuple(sorted(source.zones)), end - DAY, end, USUAL)
    (bodies,) = bodies_of(source, query)
    assert [each.request.path.rpartition("/")[2] for each in bodies] == [
        "",
        "PUBLIC_DispatchIS_Reports_20260303.zip",
    ]
    rows = source.parse(bodies).sort("start").with_columns(ahead=False)
    assert rows["start"].min() == end - DAY
    assert rows["end"].max() == end
    for (zone, signal), mine in rows.group_by("zone", "signal"):
        compare("aemo", str(zone), timedelta(minutes=5), str(signal), mine)
