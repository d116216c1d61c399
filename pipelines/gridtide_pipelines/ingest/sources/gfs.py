"""Weather forecasts of the Global Forecast System as issued: means over the zones.

Docs:       https://registry.opendata.aws/noaa-gfs-bdp-pds/
            https://www.nco.ncep.noaa.gov/pmb/products/gfs/
Licence:    NOAA Open Data Dissemination: may be used as desired; attribution is requested.
Unit:       m/s at 10 and 100 m, K at 2 m, W/m2 and percent (means of 3 h), mm (sums of 3 h).
Slots:      lead times 0 to 96 h, every 3 h, of runs at 00, 06, 12 and 18 UTC; 1.0 degree.
Limits:     none stated. A refresh takes one newest run: 33 indexes and the bytes of nine
            fields of each lead time, about 18 MB. A backfill takes the 00 UTC run of each day.
Revisions:  none: a run is never changed. Known 5 h after it began; past runs since 2021-02.
Quirks:     The index beside a file says where each field begins; fields are chosen by element,
            level and window, never by number. Means and sums are over the time since the last
            multiple of 6 h, so the second half of such a window is their difference; APCP
            stands twice, the other one is the total of the run. Lead time 0 has neither. A file
            that is not there is a 404: of the newest run "not yet", of an old one a lead time
            that is missing for good.
Last seen:  2026-11 (written, from a description of indexes and messages).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Final

import numpy as np
import polars as pl

from gridtide_pipelines.errors import NothingYet
from gridtide_pipelines.ingest.grib import Field, read_fields
from gridtide_pipelines.ingest.parsing import check_shape
from gridtide_pipelines.ingest.schedule import DAY, EPOCH, split_span
from gridtide_pipelines.ingest.source import (
    Body,
    Group,
    Kind,
    Query,
    Request,
    Source,
    Span,
)
from gridtide_pipelines.ingest.weather import LEADS, second_half, weather_readings
from gridtide_pipelines.ingest.weather_points import POINTS, Floats, locations, zones

NAME = "gfs"
RUNS: Final = timedelta(hours=6)
LAST: Final = max(LEADS)
# Until then a file that is missing may still come.
LATE: Final = timedelta(hours=12)
MISSING: Final = 404
NO_KEY: Final = b"<Code>NoSuchKey</Code>"
RESOLUTION: Final = "1p00"
PATH: Final = re.compile(r"/gfs\.(\d{8})/(\d\d)/atmos/gfs\.t\d\dz\.pgrb2\.\w+\.f(\d{3})")
LINE: Final = re.compile(r"[\d.]+:(\d+):d=(\d{10}):([^:]+):([^:]+):([^:]+):.*")
BYTES: Final = re.compile(r"bytes=(\d+)-(\d*)")

# Element and level of the index, those of a message, and whether it is a mean (0), a sum (1) or
# holds at the lead time (None).
FIELDS: Final = {
    "u10": ("UGRD", "10 m above ground", (0, 2, 2), (103, 10.0), None),
    "v10": ("VGRD", "10 m above ground", (0, 2, 3), (103, 10.0), None),
    "u100": ("UGRD", "100 m above ground", (0, 2, 2), (103, 100.0), None),
    "v100": ("VGRD", "100 m above ground", (0, 2, 3), (103, 100.0), None),
    "temp_k": ("TMP", "2 m above ground", (0, 0, 0), (103, 2.0), None),
    "dewpoint_k": ("DPT", "2 m above ground", (0, 0, 6), (103, 2.0), None),
    "dswrf_w_m2": ("DSWRF", "surface", (0, 4, 7), (1, 0.0), 0),
    "precip_mm": ("APCP", "surface", (0, 1, 8), (1, 0.0), 1),
    "cloud_pct": ("TCDC", "entire atmosphere", (0, 6, 1), (10, 0.0), 0),
}
# NOAA's own number of an element before the one of the WMO's table.
LOCAL: Final = {(0, 4, 192): (0, 4, 7)}
WINDS: Final = {"wind_speed_m_s": ("u10", "v10"), "wind_speed_100m_m_s": ("u100", "v100")}
WORDS: Final = ("ave", "acc")


def requests(query: Query) -> Sequence[Group]:
    """Build the first request of one run a day: the first that begins in the query."""
    groups = []
    for part in split_span(Span(query.start, query.end), DAY):
        run = part.start + (EPOCH - part.start) % RUNS
        if run < part.end:
            path = f"{_path(run, LAST)}.idx"
            groups.append([Request("GET", path, (), query.kind, query.zones, span=part)])
    return groups


def following(bodies: Sequence[Body]) -> Sequence[Request]:
    """Return the other indexes once the last one is there, then the parts of the files."""
    with check_shape(NAME):
        first = bodies[0]
        run, _ = _requested(first.request.path)
        if len(bodies) == 1:
            if _is_missing(first) and first.known_at < run + LATE:
                raise NothingYet(NAME, f"the run of {run:%Y-%m-%dT%H}Z is not complete yet")
            return [_like(first, f"{_path(run, lead)}.idx") for lead in LEADS if lead != LAST]
        if len(bodies) > len(LEADS):
            return []
        there = [body for body in bodies if not _is_missing(body)]
        if not there:
            raise NothingYet(NAME, f"there is no run of {run:%Y-%m-%dT%H}Z")
        return [
            _like(body, body.request.path.removesuffix(".idx"), part)
            for body in there
            for part in read_index(body.content, *_requested(body.request.path))
        ]


def parse(bodies: Sequence[Body]) -> pl.DataFrame:
    """Parse the means of each zone from the fields of one run."""
    with check_shape(NAME):
        at: dict[tuple[int, str], Floats] = {}
        runs: set[datetime] = set()
        messages = [
            body
            for body in bodies
            if not body.request.path.endswith(".idx") and not _is_missing(body)
        ]
        for body in messages:
            for field in read_fields(body.content):
                _refuse_other(field, body)
                name = _name(field)
                if name:
                    runs.add(field.run)
                    where = field.grid.nearest(locations().lat, locations().lon)
                    at[field.last, name] = field.values()[where]
        if len(runs) != 1:
            raise ValueError(f"{len(runs)} runs with fields that are read, in place of one")
        wanted = {zone for body in bodies for zone in body.request.zones}
        return weather_readings(NAME, runs.pop(), _quantities(at), wanted)


def read_index(content: bytes, run: datetime, lead: int) -> Iterator[str]:
    """Yield the parts of a file that hold our fields, as values of a Range header.

    Raises:
        ValueError: a line is not one of an index, or is of another run.
    """
    lines = [LINE.fullmatch(line) for line in content.decode("ascii").splitlines()]
    found = [line.groups() for line in lines if line]
    if not found or len(found) != len(lines):
        raise ValueError("not the index of a file")
    firsts = sorted({int(first) for first, *_ in found})
    behind = dict(pairwise(firsts))
    wanted = {
        (element, level, _window(lead, statistic))
        for element, level, _, _, statistic in FIELDS.values()
    }
    parts: list[tuple[int, int | None]] = []
    for first, label, *field in found:
        if label != f"{run:%Y%m%d%H}":
            raise ValueError(f"an index of the run {label}")
        if tuple(field) in wanted:
            wanted.remove((field[0], field[1], field[2]))  # APCP stands twice
            begin, end = int(first), behind.get(int(first))
            if parts and parts[-1][1] == begin:
                parts[-1] = parts[-1][0], end
            elif not parts or begin != parts[-1][0]:  # fields may share a message
                parts.append((begin, end))
    for begin, end in parts:
        yield f"bytes={begin}-{'' if end is None else end - 1}"


def _window(lead: int, statistic: int | None) -> str:
    """Return the words of an index for the time that a field is over."""
    if statistic is None:
        return f"{lead} hour fcst" if lead else "anl"
    return f"{_since(lead)}-{lead} hour {WORDS[statistic]} fcst"


def _since(lead: int) -> int:
    """Return when the window began whose mean or sum ends at a lead time."""
    return (lead - 1) // 6 * 6


def _name(field: Field) -> str | None:
    """Return which of FIELDS a message is; None for another, such as the total of a run."""
    stated = LOCAL.get(field.element, field.element)
    for name, (_, _, element, surface, statistic) in FIELDS.items():
        mine = (stated, field.surface, field.statistic) == (element, surface, statistic)
        if mine and (statistic is None or field.first == _since(field.last)):
            return name
    return None


def _refuse_other(field: Field, body: Body) -> None:
    """Raise ValueError for a field or a part of another run, lead time or length."""
    if not PATH.search(body.request.path):
        return  # a file that was named by hand
    run, lead = _requested(body.request.path)
    if (field.run, field.last) != (run, lead):
        raise ValueError(
            f"a field of {field.run:%Y-%m-%dT%H}Z +{field.last} h in place of "
            f"{run:%Y-%m-%dT%H}Z +{lead} h"
        )
    part = BYTES.fullmatch(dict(body.request.headers).get("Range", ""))
    if part and part[2] and len(body.content) != int(part[2]) - int(part[1]) + 1:
        raise ValueError(f"{len(body.content)} bytes in answer to {part[0]}")


def _quantities(at: Mapping[tuple[int, str], Floats]) -> dict[tuple[int, str], Floats]:
    """Return our quantities at each point, by lead time: speeds, and means and sums of 3 h."""
    found: dict[tuple[int, str], Floats] = {}
    for lead in {lead for lead, _ in at}:
        for speed, (u, v) in WINDS.items():
            if (lead, u) in at and (lead, v) in at:
                found[lead, speed] = np.hypot(at[lead, u], at[lead, v])
    for (lead, name), values in at.items():
        if name not in FIELDS or name in {part for pair in WINDS.values() for part in pair}:
            continue
        statistic = FIELDS[name][-1]
        if statistic is None or lead - _since(lead) == 3:
            found[lead, name] = values
        elif (lead - 3, name) in at:
            first = at[lead - 3, name]
            found[lead, name] = second_half(values, first, mean=statistic == 0)
    return found


def _is_missing(body: Body) -> bool:
    """Say whether the bucket has no such file; of an archived body the status is not known."""
    return body.status == MISSING or NO_KEY in body.content[:300]


def _path(run: datetime, lead: int) -> str:
    return f"/gfs.{run:%Y%m%d}/{run:%H}/atmos/gfs.t{run:%H}z.pgrb2.{RESOLUTION}.f{lead:03d}"


def _requested(path: str) -> tuple[datetime, int]:
    """Return run and lead time of a path."""
    found = PATH.search(path)
    if not found:
        raise ValueError(f"the path {path[:60]!r} names no run")
    run = datetime.strptime(found[1] + found[2], "%Y%m%d%H").replace(tzinfo=UTC)
    return run, int(found[3])


def _like(body: Body, path: str, part: str = "") -> Request:
    """Return a request of the same group for another path, or for a part of a file."""
    before = body.request
    headers = (("Range", part),) if part else ()
    return Request(
        "GET", path, (), before.kind, before.zones, headers=headers, span=before.span
    )


SOURCE = Source(
    name=NAME,
    title="NOAA: Global Forecast System, weather forecasts as issued",
    base_url="https://noaa-gfs-bdp-pds.s3.amazonaws.com",
    kinds=frozenset({Kind.WEATHER}),
    zones=zones(),
    requests=requests,
    following=following,
    parse=parse,
    weather=f"gfs_{RESOLUTION}@{POINTS}",
    step=RUNS,
    max_span=DAY,
    refetch=(),
    lag=timedelta(hours=5),
    licence="NOAA Open Data Dissemination (public domain)",
    licence_url="https://registry.opendata.aws/noaa-gfs-bdp-pds/",
    attribution="NOAA National Centers for Environmental Prediction, Global Forecast System",
    readable=frozenset({MISSING}),
    largest_body=16 * 2**20,
)
