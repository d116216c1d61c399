"""Build the table of units of the Australian NEM from AEMO's registration list.

    python infra/make_aemo_units.py NEM-Registration-and-Exemption-List.xlsx

writes `pipelines/gridtide_store/catalogue/aemo_units.csv`: what each dispatchable unit is, by
facts of the sheet "PU and Scheduled Loads" (https://www.aemo.com.au, under Participant
information). Units of the table that are not in the list any more stay in it: they have a past.
"""

from __future__ import annotations

import csv
import io
import re
import sys
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from xml.etree import ElementTree

TABLE = Path(__file__).parents[1] / "pipelines/gridtide_store/catalogue/aemo_units.csv"
SHEET = "PU and Scheduled Loads"
COLUMNS = ("duid", "region", "fuel", "consumes")
MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
# The first that the descriptor of the fuel matches; mixed fuels are by the one named first.
FUELS: Sequence[tuple[str, str]] = (
    ("black coal|brown coal", "coal"),
    ("natural gas|natrual gas|coal seam methane|coal mine gas|ethane", "gas"),
    ("diesel|kerosene", "oil"),
    ("water", "hydro"),
    ("solar", "solar"),
    ("wind", "wind"),
    ("bagasse|biogas|landfill|sewerage|biomass", "biomass"),
)


def read_sheet(content: bytes, name: str) -> Iterator[dict[str, str]]:
    """Yield the rows of a sheet of an XLSX file by the names of its first row."""
    with zipfile.ZipFile(io.BytesIO(content)) as book:

        def tree(path: str) -> ElementTree.Element:
            return ElementTree.fromstring(book.read(path))  # noqa: S314  # a file of our choice

        shared = [
            "".join(text.text or "" for text in item.iter(f"{MAIN}t"))
            for item in tree("xl/sharedStrings.xml")
        ]
        targets = {
            each.get("Id"): each.get("Target") for each in tree("xl/_rels/workbook.xml.rels")
        }
        sheets = {
            each.get("name"): each.get(RELATION)
            for each in tree("xl/workbook.xml").iter(f"{MAIN}sheet")
        }
        head: dict[str, str] = {}
        for row in tree(f"xl/{targets[sheets[name]]}").iter(f"{MAIN}row"):
            cells = {}
            for cell in row:
                column = "".join(re.findall("[A-Z]", cell.get("r", "")))
                text = cell.findtext(f"{MAIN}v") or ""
                cells[column] = shared[int(text)] if cell.get("t") == "s" and text else text
            if not head:
                head = cells
            else:
                yield {title: cells.get(column, "").strip() for column, title in head.items()}


def unit_of(row: Mapping[str, str]) -> tuple[str, str, str, str] | None:
    """Return what a row says of a unit; None where it has no DUID, fuel or region."""
    duid, region = row["DUID"], row["Region"]
    load = row["Dispatch Type"] == "Load"
    primary, descriptor = row["Fuel Source - Primary"], row["Fuel Source - Descriptor"].lower()
    technology = row["Technology Type - Descriptor"]
    if not duid or not region or duid == "-":
        return None
    if primary == "Battery Storage":
        fuel = "battery_storage"
    elif primary == "Hydro" and (load or technology == "Pump Storage"):
        fuel = "hydro_storage"
    else:
        fuel = next((fuel for words, fuel in FUELS if re.search(words, descriptor)), "")
    if not fuel:
        return None  # a load other than storage, or a unit without a statement
    return duid, region, fuel, "1" if load else "0"


def build(content: bytes, earlier: Sequence[Sequence[str]] = ()) -> list[tuple[str, ...]]:
    """Return the rows of the table, by DUID: those of the list and of an earlier table."""
    found = {row[0]: tuple(row) for row in earlier}
    for row in read_sheet(content, SHEET):
        unit = unit_of(row)
        if unit is not None:
            found[unit[0]] = unit
    return [found[duid] for duid in sorted(found)]


def read_table() -> list[list[str]]:
    """Return the rows of the table as it is, without its head."""
    with TABLE.open(encoding="utf-8", newline="") as lines:
        return list(csv.reader(lines))[1:]


def main(words: Sequence[str]) -> None:
    """Write the table anew from a registration list."""
    earlier = read_table() if TABLE.exists() else []
    rows = build(Path(words[0]).read_bytes(), earlier)
    with TABLE.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out, lineterminator="\n").writerows([COLUMNS, *rows])


if __name__ == "__main__":
    main(sys.argv[1:])
