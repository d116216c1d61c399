"""ENTSO-E's production types by code and by name, as several publishers use them. Pure.

Codes: ENTSO-E, code list "Asset type" (StandardAssetTypeList), version 2025.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

FUELS: Final[Mapping[str, str]] = {
    "B01": "biomass",
    "B02": "coal",  # lignite
    "B03": "gas",  # gas from coal
    "B04": "gas",
    "B05": "coal",  # hard coal
    "B06": "oil",
    "B07": "coal",  # oil shale
    "B08": "coal",  # peat
    "B09": "geothermal",
    "B10": "hydro_storage",
    "B11": "hydro",
    "B12": "hydro",
    "B13": "unknown",  # marine
    "B14": "nuclear",
    "B15": "unknown",  # other renewable
    "B16": "solar",
    "B17": "biomass",  # waste
    "B18": "wind",
    "B19": "wind",
    "B20": "unknown",  # other
    "B25": "battery_storage",
}

# The same by the names in that list, in lower case. Publishers vary capitals and hyphens.
CODES: Final[Mapping[str, str]] = {
    "biomass": "B01",
    "fossil brown coal/lignite": "B02",
    "fossil brown coal / lignite": "B02",
    "fossil coal derived gas": "B03",
    "fossil gas": "B04",
    "fossil hard coal": "B05",
    "fossil oil": "B06",
    "fossil oil shale": "B07",
    "fossil peat": "B08",
    "geothermal": "B09",
    "hydro pumped storage": "B10",
    "hydro run of river": "B11",
    "hydro run of river and poundage": "B11",
    "hydro water reservoir": "B12",
    "marine": "B13",
    "nuclear": "B14",
    "other renewable": "B15",
    "others renewable": "B15",
    "solar": "B16",
    "waste": "B17",
    "wind offshore": "B18",
    "wind onshore": "B19",
    "other": "B20",
    "others": "B20",
    "energy storage": "B25",
}


@lru_cache(maxsize=256)
def fuel_named(name: str) -> str | None:
    """Return the fuel of a production type by its name; None where it is not known."""
    code = CODES.get(" ".join(name.lower().replace("-", " ").split()))
    return FUELS[code] if code else None
