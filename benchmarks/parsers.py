"""Our parsers beside the packages that others publish: CPU time on the same bodies in one run.

    python -m venv peer && peer/bin/pip install gridstatus==0.37.0 entsoe-py==0.8.1 \\
        elexonpy==1.0.16 nemosis==3.8.1 openelectricity==0.12.0
    GRIDTIDE_RECORDED_DATA=FOLDER python benchmarks/parsers.py --peer peer/bin/python [--fail]

FOLDER has the recorded bodies under ``fixtures``. Whoever measures installs the peers, which
the project does not depend on; they run in a process of their own with their own Python, where
every request is answered with the bytes of the same files (`peers/readers.py`).

Question: the bytes of a body to a table of values. Ours is the whole of `parse`: limits on what
is unpacked, the checks that a hostile body needs, codes summed to fuels, slots with start and
end in UTC. Theirs is the method that a user of the package calls. Both must find the same sum
of values. Rounds alternate, so that a busy machine slows both alike, and each side's best round
counts; a short body is read until both took 1.5 s, since a few of its rounds may all be
disturbed. With ``--fail`` a ratio under its bar is an exit code of 1: 4 for a month of NYISO,
30 for ENTSO-E's generation, 1 elsewhere.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import isclose
from pathlib import Path
from typing import Any

import polars as pl

from gridtide_pipelines.ingest.source import Body, Kind, Request
from gridtide_pipelines.ingest.sources import sources

RECORDED = "GRIDTIDE_RECORDED_DATA"
PEER = Path(__file__).parent / "peers/readers.py"
KNOWN_AT = datetime(2026, 3, 2, tzinfo=UTC)
ENOUGH = 1_500_000_000  # ns of CPU time that both take together
MOST_ROUNDS = 100
MIX = "^(generation_|imports$)"
ARCHIVE = "MMSDM_2026_03/PUBLIC_ARCHIVE_{}_FILE01_202603010000.zip"
GERMANY = "DE_A75_20210101_recorded20251129.xml"


@dataclass(frozen=True)
class Row:
    """Bodies that both read.

    Attributes:
        reader: of the peer, in `peers/readers.py`.
        signals: pattern of our signals whose values are summed.
        path: of the request, where the body lacks what it says.
        bar: least ratio of their time to ours.
        unread: the peer is known not to read it; for any other row that counts as missed.
    """

    source: str
    reader: str
    files: tuple[str, ...]
    signals: str = MIX
    quality: str = ""
    path: str = "/"
    bar: float = 1.0
    unread: bool = False


ROWS = (
    Row("caiso", "caiso_mix", ("fuelsource_20230101.csv",), path="/history/20230101/"),
    Row(
        "caiso",
        "caiso_load",
        ("netdemand_20190310_dst_spring.csv",),
        "load",
        "measured",
        path="/history/20190310/",
    ),
    Row("caiso", "caiso_forecast", ("SLD_REN_FCST_DAM_20250204_20250211.zip",)),
    Row("ercot", "ercot_mix", ("ERCOT_generation.json",)),
    Row("ercot", "ercot_storage", ("ERCOT_storage.json",)),
    Row("ercot", "ercot_wind", ("wind_specific_reportid.zip",)),
    Row("ercot", "ercot_solar", ("solar_specific_reportid.zip",)),
    Row("ieso", "ieso_mix", ("GenOutputCapability_20230901.xml",)),
    Row("ieso", "ieso_year", ("reduced_GenOutputbyFuelHourly_2016.xml",)),
    Row("ieso", "ieso_forecast", ("var_gen_forecast_summary_report_20250228.xml",)),
    Row("isone", "isone_wind", ("seven_day_wind_power_forecast_20250225.csv",)),
    Row("isone", "isone_solar", ("seven_day_solar_power_forecast_20250225.csv",)),
    Row("isone", "isone_load", ("day_ahead_load_forecast_20250317.xml",), "load", "forecast"),
    Row("miso", "miso_mix", ("fuelmix_20180125.json",), unread=True),
    Row("nyiso", "nyiso_month", ("20250201rtfuelmix_csv.zip",), bar=4.0),
    Row("nyiso", "nyiso_mix", ("20171122rtfuelmix.csv",)),
    Row("nyiso", "nyiso_load", ("20171122pal.csv",), "load"),
    Row("nyiso", "nyiso_forecast", ("20250219isolf.csv",), "load"),
    Row("nyiso", "nyiso_flow", ("20171122ExternalLimitsFlows.csv",), "flow"),
    Row("pjm", "pjm_mix", ("gen_by_fuel.json",)),
    Row("spp", "spp_mix", ("GenMix2Hour_20180727.reconstructed.csv",)),
    Row("aeso", "aeso_mix", ("csd_summary_current_v1_20240419.json",), unread=True),
    Row("aeso", "aeso_wind", ("wind_rpt_longterm.csv",)),
    Row("aeso", "aeso_solar", ("solar_rpt_longterm.csv",)),
    Row(
        "eia",
        "eia_fuels",
        (
            "fuel-type-data_2023-01-01_offset0.json",
            "fuel-type-data_2023-01-01_offset5000.json",
        ),
    ),
    Row("eia", "eia_regions", ("region-data_D_2023-01-01.json",), "load"),
    Row("eia", "eia_flows", ("interchange-data_CISO_2024-01-01.json",), "flow"),
    Row("entsoe", "entsoe_generation", (GERMANY,), bar=30.0),
    Row("entsoe", "entsoe_generation", ("FI_production.xml",), bar=30.0),
    Row("entsoe", "entsoe_generation", ("FR_A69_20210101.xml",)),
    Row("entsoe", "entsoe_load", ("CZ_A65_202303.xml",), "load"),
    Row("entsoe", "entsoe_price", ("ES_day_ahead_price.xml",), "price"),
    Row("entsoe", "entsoe_flow", ("DK-DK1_GB_exchange_imports.xml",), "flow"),
    Row("elexon", "elexon_types", ("AGPT_20240101_wrapped.json",)),
    Row(
        "elexon",
        "elexon_fuels",
        ("FUELINST_stream_20240212_1745.json",),
        "^(generation|import)_",
    ),
    Row("aemo", "aemo_units", (ARCHIVE.format("DISPATCH_UNIT_SCADA"),)),
    Row("aemo", "aemo_regions", (ARCHIVE.format("DISPATCHREGIONSUM"),), "load"),
    Row("aemo", "aemo_rooftops", (ARCHIVE.format("ROOFTOP_PV_ACTUAL"),)),
    Row("aemo", "aemo_flows", (ARCHIVE.format("DISPATCHINTERCONNECTORRES"),), "flow"),
    Row("openelectricity", "openelectricity", ("OPENNEM_AU-NSW.v4.json",)),
    Row("openelectricity", "openelectricity", ("OPENNEM_AU-SA.v4.json",)),
)


def main() -> int:
    """Print a row of the table for each case; 1 with ``--fail`` when one is under its bar."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--peer", help="a Python with the peers")
    parser.add_argument("--rounds", type=int, default=9, help="best of at least this many")
    parser.add_argument("--only", default="", help="only rows whose reader begins with this")
    parser.add_argument("--fail", action="store_true", help="exit with 1 under a bar")
    options = parser.parse_args()
    folder = os.environ.get(RECORDED)
    if not options.peer or not folder:
        print(f"nothing measured: name a Python with --peer, and a folder in {RECORDED}")
        return 0
    missed = 0
    rows = [row for row in ROWS if row.reader.startswith(options.only)]
    print(f"{'body':52} {'rows':>6} {'theirs':>9} {'ours':>9} {'ratio':>7} {'bar':>4}")
    with subprocess.Popen(
        [options.peer, str(PEER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as peer:
        for row in rows:
            missed += not compare(row, peer, Path(folder) / "fixtures" / row.source, options)
        assert peer.stdin is not None
        peer.stdin.close()
    print(f"{missed} of {len(rows)} rows under their bar")
    return 1 if options.fail and missed else 0


def compare(row: Row, peer: Any, folder: Path, options: argparse.Namespace) -> bool:  # noqa: ANN401
    """Print one row; False if ours is too slow, the sums differ, or it cannot be compared."""
    paths = [folder / name for name in row.files]
    contents = [path.read_bytes() for path in paths]
    name = f"{row.reader} {row.files[0][:28]}"
    theirs, ours = [], []
    while len(ours) < options.rounds or (
        len(ours) < MOST_ROUNDS and sum(ours) + sum(theirs) < ENOUGH
    ):
        peer.stdin.write(json.dumps([row.reader, [str(path) for path in paths]]) + "\n")
        peer.stdin.flush()
        said = json.loads(peer.stdout.readline())
        if "error" in said:
            print(f"{name:52} the peer cannot read it: {said['error']}", flush=True)
            return row.unread
        theirs.append(said["spent"])
        began = time.process_time_ns()
        frame = parse(row, contents)
        ours.append(time.process_time_ns() - began)
    wanted = frame.filter(
        pl.col("signal").str.contains(row.signals) & pl.col("quality").str.contains(row.quality)
    )
    found = wanted["value"].sum()
    if not isclose(found, said["sum"], rel_tol=1e-6, abs_tol=1e-6):
        print(f"{name:52} another sum: theirs {said['sum']}, ours {found}", flush=True)
        return False
    ratio = min(theirs) / min(ours)
    print(
        f"{name:52} {frame.height:6} {min(theirs) / 1e6:6.2f} ms {min(ours) / 1e6:6.2f} ms "
        f"{ratio:6.1f}x {row.bar:4.0f}{'' if ratio >= row.bar else '  MISSED'}",
        flush=True,
    )
    return ratio >= row.bar


def parse(row: Row, contents: Sequence[bytes]) -> pl.DataFrame:
    """Return what our parser makes of the bodies."""
    request = Request("GET", row.path, kind=Kind.GENERATION)
    bodies = [Body(request, content, KNOWN_AT, i) for i, content in enumerate(contents)]
    return sources()[row.source].parse(bodies)


if __name__ == "__main__":
    sys.exit(main())
