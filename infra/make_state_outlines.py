"""Make pipelines/gridtide_store/catalogue/state_outlines.json from U.S. Census boundaries.

    npm pack us-atlas@3.0.1 && tar xzf us-atlas-3.0.1.tgz
    python infra/make_state_outlines.py package/states-10m.json

The cartographic boundaries of the U.S. Census Bureau (edition of 2017) are in the public
domain; the npm package us-atlas (ISC licence) carries them as TopoJSON. States that lie wholly
in one zone are joined into one outline for the zone: a side that two of them share is left out,
a side shared with another state is a border, and so is what lies north of `CANADA`. The rest is
coast.

Which states: those of which all utilities are in one balancing authority, chosen by hand (EIA's
Form EIA-861 is the table to compare them with). Not Maine (its north is on New Brunswick's
grid), New York (Waverly is in PJM), New Jersey and Pennsylvania (parts of Orange and Rockland's
territory are in NYISO), or Virginia (TVA, LG&E).
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from make_outlines import ROUNDING_KM, _arcs, _flat, decode, simplify

TARGET = Path(__file__).parents[1] / "pipelines/gridtide_store/catalogue/state_outlines.json"

STATES = {
    "US-MIDA-PJM": ("Delaware", "District of Columbia", "Maryland", "West Virginia"),
    "US-NE-ISNE": ("Connecticut", "Massachusetts", "New Hampshire", "Rhode Island", "Vermont"),
}
CANADA = 44.9  # degrees north
TOLERANCE_KM = 0.25


def main(source: Path) -> None:
    """Read the TopoJSON file `source` and write the outlines."""
    atlas = json.loads(source.read_text(encoding="utf-8"))
    document = {
        "origin": "U.S. Census Bureau, cartographic boundaries 2017 (public domain), "
        "by us-atlas 3.0.1",
        "made_by": "infra/make_state_outlines.py",
        "unit": "thousandths of a degree: lon, lat of the first point, then steps",
        "tolerance_km": round(TOLERANCE_KM + ROUNDING_KM, 2),
        "states": {zone: list(states) for zone, states in STATES.items()},
        "zones": {zone: outline(atlas, states) for zone, states in STATES.items()},
    }
    text = json.dumps(document, separators=(",", ":"))
    TARGET.write_text(text + "\n", encoding="utf-8")
    sys.stdout.write(f"{TARGET.name}: {len(text) / 1e3:.0f} kB, {len(STATES)} zones\n")


def outline(atlas: dict[str, Any], states: tuple[str, ...]) -> dict[str, list[list[int]]]:
    """Borders and coasts of some states together."""
    geometries = atlas["objects"]["states"]["geometries"]
    found = [each for each in geometries if each["properties"]["name"] in states]
    everywhere, here = Counter(_arcs(geometries)), Counter(_arcs(found))
    borders, coasts = [], []
    for arc in (arc for arc, uses in here.items() if uses == 1):
        line = simplify(decode(atlas, arc), TOLERANCE_KM)
        border = everywhere[arc] > 1 or any(lat > CANADA for _, lat in line)
        (borders if border else coasts).append(_flat(line))
    return {"borders": sorted(borders), "coasts": sorted(coasts)}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
