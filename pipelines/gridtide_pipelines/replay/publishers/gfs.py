"""The files of GFS simulated: an index and the fields of ten degrees that it names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

import numpy as np

from gridtide_pipelines.ingest.source import Request
from gridtide_pipelines.ingest.sources.gfs import FIELDS, LAST, SOURCE, WORDS
from gridtide_pipelines.ingest.weather import LEADS
from gridtide_pipelines.ingest.weather_points import Floats
from gridtide_pipelines.replay.faults import Reply
from gridtide_pipelines.replay.grib_messages import message
from gridtide_pipelines.replay.publisher import Publisher, zone_publisher

DEGREES: Final = 10
NAMED: Final = re.compile(r"/gfs\.(\d{8})/(\d\d)/.*\.f(\d{3})(\.idx)?")
BYTES: Final = re.compile(r"bytes=(\d+)-(\d*)")
LAT: Final = np.arange(90, -91, -DEGREES, dtype=np.float64)[:, None]
LON: Final = np.arange(0, 360, DEGREES, dtype=np.float64)[None, :]
SUN: Final = 1000.0  # W/m2 where it stands highest
DECIMALS: Final = {"precip_mm": 3}


def render(_zones: Sequence[str], request: Request, now: datetime) -> Reply:
    """Return the index of a file, or the bytes of it that are requested."""
    named = NAMED.fullmatch(request.path)
    if named is None:
        return PUBLISHER.refusal
    run = datetime.strptime(named[1] + named[2], "%Y%m%d%H").replace(tzinfo=UTC)
    lead = int(named[3])
    if run.hour % 6 or lead not in LEADS or now < run + SOURCE.lag - _before_last(lead):
        return PUBLISHER.no_data
    index, content = _file(run, lead)
    if named[4]:
        return Reply(index.encode(), content_type="text/plain")
    part = BYTES.fullmatch(dict(request.headers).get("Range", ""))
    if part is None:
        return Reply(content, content_type="application/octet-stream")
    end = int(part[2]) + 1 if part[2] else None
    return Reply(content[int(part[1]) : end], 206, "application/octet-stream")


def _before_last(lead: int) -> timedelta:
    """Return how long before the last lead time of a run one is published."""
    return timedelta(minutes=(LAST - lead) / 3)


@lru_cache(maxsize=64)
def _file(run: datetime, lead: int) -> tuple[str, bytes]:
    """Return the index and the content of the file of one lead time."""
    since = (lead - 1) // 6 * 6
    lines: list[str] = []
    content = b""
    for name, (element, level, number, (kind, height), statistic) in FIELDS.items():
        if statistic is None:
            window, begin = f"{lead} hour fcst" if lead else "anl", None
            values = _values(name, run + timedelta(hours=lead))
        elif not lead:
            continue
        else:
            window, begin = f"{since}-{lead} hour {WORDS[statistic]} fcst", since
            hours = range(since + 1, lead + 1)
            parts = np.stack([_values(name, run + timedelta(hours=each)) for each in hours])
            values = parts.sum(axis=0) if statistic else parts.mean(axis=0)
        lines.append(
            f"{len(lines) + 1}:{len(content)}:d={run:%Y%m%d%H}:{element}:{level}:{window}:"
        )
        content += message(
            number,
            (kind, int(height)),
            run,
            lead,
            values,
            since=begin,
            statistic=statistic or 0,
            decimals=DECIMALS.get(name, 2),
            degrees=DEGREES,
        )
    return "\n".join((*lines, "")), content


def _values(name: str, time: datetime) -> Floats:
    """Return a field at a time: of sums what an hour brings."""
    hours = time.timestamp() / 3600
    wave = np.sin(LON / 30 + hours / 20) * np.cos(np.radians(LAT))
    sun = np.cos(np.radians(LAT)) * np.maximum(0, np.cos(np.radians(15 * hours + LON - 180)))
    warm = 300 - 40 * np.abs(LAT) / 90 + 4 * sun + 3 * wave
    fields = {
        "u10": 5 + 4 * wave,
        "v10": 2 * wave,
        "u100": 7 + 6 * wave,
        "v100": 3 * wave,
        "temp_k": warm,
        "dewpoint_k": warm - 6 + 3 * wave,
        "dswrf_w_m2": SUN * sun,
        "precip_mm": np.maximum(0, wave - 0.5),
        "cloud_pct": 50 + 50 * wave,
    }
    return np.asarray(fields[name] + 0 * LAT + 0 * LON)


PUBLISHER: Final[Publisher] = zone_publisher(
    SOURCE, render, Reply(b"<Error><Code>NoSuchKey</Code></Error>", 404, "application/xml")
)
