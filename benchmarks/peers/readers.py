"""Read recorded bodies with the packages that others publish; runs in a Python that has them.

`parsers.py` beside this folder starts it and says on each line of its input which reader is to
read which files. The answer is a line too: the sum of the values and the CPU time, or why the
package does not read these files. Nothing leaves the process: every request that a package
makes is answered with the bytes of the files.
"""

# ruff: noqa: ANN001, ANN002, ANN003, ANN201, ANN202, BLE001
from __future__ import annotations

import contextlib
import io
import json
import logging
import sys
import tempfile
import time
import warnings
import zipfile
from pathlib import Path
from types import SimpleNamespace

warnings.simplefilter("ignore")
logging.disable()
BODIES: list[bytes] = []  # what requests are answered with, the first one first
ROUTES: dict[str, bytes] = {}  # part of an address, and its answer
TYPES = {b"<": "text/xml", b"{": "application/json", b"[": "application/json"}


def answer(url: str, position: int = 0) -> bytes:
    """Return the body for an address."""
    routed = [body for part, body in ROUTES.items() if part in url]
    return routed[0] if routed else BODIES[min(position, len(BODIES) - 1)]


def cut_off() -> None:
    """Answer the requests of every package in this process, and let none of them wait."""
    import pandas.io.common
    import requests
    import urllib3

    def send(_self, method, url, **given):
        response = requests.Response()
        sought = json.loads((given.get("headers") or {}).get("X-Params", "{}"))
        response._content = answer(str(url), sought.get("offset", 0) // 5000)
        response.status_code, response.url = 200, str(url)
        response.headers["Content-Type"] = TYPES.get(response._content[:1], "text/csv")
        response.headers["Content-Disposition"] = "attachment"
        response.encoding = "utf-8"
        return response

    requests.Session.request = send
    pandas.io.common.urlopen = lambda url, *_, **__: contextlib.closing(
        Opened(answer(getattr(url, "full_url", str(url))))
    )
    urllib3.PoolManager.request = lambda *_, **__: SimpleNamespace(
        status=200, reason="OK", data=BODIES[0], headers={}
    )
    time.sleep = lambda _: None


class Opened(io.BytesIO):
    """A body as urllib answers it."""

    headers: dict[str, str] = {}  # noqa: RUF012


def numbers(table):
    """Return the sum of all columns of numbers."""
    return float(table.select_dtypes("number").sum().sum())


def column(name):
    """Return what sums one column."""
    return lambda table: float(table[name].astype(float).sum())


def external(table):
    """Return the sum of the flows with other operators."""
    name = table["Interface Name"]
    return float(
        table[name.str.startswith("SCH - ") & (name != "SCH - HQ_IMPORT_EXPORT")][
            "Flow MW"
        ].sum()
    )


def gridstatus(name, method, *args, total=numbers, key=None, **given):
    """Return a reader by a method of one of the operators of gridstatus."""

    def prepare():
        import gridstatus

        operator = getattr(gridstatus, name)(**({"api_key": key} if key else {}))
        return lambda: getattr(operator, method)(*args, **given)

    return prepare, total


def nyiso(name, method, day, total):
    """Return a reader of a day's file of NYISO, which it reads from an archive of the month."""

    def prepare():
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr(f"{day.replace('-', '')}{name}.csv", BODIES[0])
        BODIES[:] = [packed.getvalue()]
        return gridstatus("NYISO", method, day)[0]()

    return prepare, total


def ercot_report(method):
    """Return a reader of a report of ERCOT by way of its listing."""

    def prepare():
        document = {
            "DocID": "1",
            "ConstructedName": "cdr.00000000.0000000000000000.20250311.085500.csv.zip",
            "FriendlyName": "a_csv",
            "PublishDate": "2025-03-11T08:55:00-05:00",
        }
        listing = {"ListDocsByRptTypeRes": {"DocumentList": [{"Document": document}]}}
        ROUTES["IceDocListJsonWS"] = json.dumps(listing).encode()
        return gridstatus("Ercot", method, "latest")[0]()

    wind = "STWPF SYSTEM WIDE"
    name = wind if "wind" in method else "STPPF SYSTEM WIDE"
    return prepare, column(name)


def ieso_forecast():
    """Prepare the forecasts of IESO, which it has in a listing."""
    import xmltodict
    from gridstatus import IESO
    from pandas import Timestamp

    operator = IESO()
    # Whoever recorded the file gave its names a prefix.
    BODIES[:] = [BODIES[0].replace(b"<ns0:", b"<").replace(b"</ns0:", b"</")]

    def read():
        document = xmltodict.parse(BODIES[0].decode())
        return operator._parse_variable_generation_forecast(document, Timestamp(0))

    return read


def rooftops(table):
    """Return the sum of the best type of each region and time."""
    whole = table[table["REGIONID"].str.fullmatch("(NSW|QLD|SA|TAS|VIC)1")]
    best = whole.sort_values("TYPE").drop_duplicates(["INTERVAL_DATETIME", "REGIONID"])
    return float(best["POWER"].sum())


def ontario(table):
    """Return the sum of the forecasts for the whole of Ontario."""
    return float(table[table["Zone"] == "Ontario Total"]["Generation Forecast"].sum())


def consumed(table):
    """Return the sum of power of all fuels less what pumps and batteries consume."""
    name = table["fueltech"].str.upper()
    power = table["power"].where(~name.isin(["IMPORTS", "EXPORTS", "BATTERY"]), 0)
    consumes = name.isin(["PUMPS", "BATTERY_CHARGING"])
    return float(power.sum() - 2 * power[consumes].sum())


def eia(dataset):
    """Return a reader of answers of the EIA's service, page by page."""

    def prepare():
        from gridstatus import EIA

        service = EIA(api_key="none")
        fetch = service._fetch_page

        def page(*args):
            rows, count = fetch(*args)
            return rows, min(count, 5000 * len(BODIES))  # the pages that were recorded

        service._fetch_page = page
        return lambda: service.get_dataset(
            f"electricity/rto/{dataset}", "2023-01-01", "2023-01-02"
        )

    return prepare


def entsoe(name):
    """Return a reader of documents of ENTSO-E."""

    def prepare():
        from entsoe import parsers

        read = getattr(parsers, name)
        return lambda: [read(body.decode()) for body in BODIES]

    def total(tables):
        if name == "parse_prices":  # by resolution
            tables = [series for each in tables for series in each.values() if len(series)]
        if name != "parse_generation":
            return sum(float(each.to_numpy().sum()) for each in tables)
        return sum(
            float(each[name].sum()) * (-1 if "Consumption" in str(name) else 1)
            for each in tables
            for name in each.columns
        )

    return prepare, total


def elexonpy(api, method, *args, **given):
    """Return a reader of answers of Elexon."""

    def prepare():
        import elexonpy
        from elexonpy.api_client import ApiClient

        client = getattr(elexonpy, api)(ApiClient())
        return lambda: getattr(client, method)(*args, **given)

    def total(rows):
        if isinstance(rows, list):
            return float(sum(row.generation for row in rows))
        return float(sum(each["quantity"] for row in rows["data"] for each in row))

    return prepare, total


def nemosis(name, start, end, total):
    """Return a reader of a table of AEMO's archive, which keeps its files in a folder."""

    def prepare():
        from nemosis import dynamic_data_compiler

        def read():
            with tempfile.TemporaryDirectory() as folder:
                return dynamic_data_compiler(start, end, name, folder, fformat="csv")

        return read

    return prepare, total


def openelectricity():
    """Prepare answers of OpenElectricity, with a field that they have only since then."""
    from openelectricity.models.timeseries import TimeSeriesResponse

    document = json.loads(BODIES[0])
    for series in document["data"]:
        series.setdefault("network_timezone_offset", series["date_start"][-6:])
    BODIES[:] = [json.dumps(document).encode()]

    def read():
        return TimeSeriesResponse.model_validate(json.loads(BODIES[0])).to_pandas()

    return read


READERS = {
    "caiso_mix": gridstatus("CAISO", "get_fuel_mix", "2023-01-01"),
    "caiso_load": gridstatus("CAISO", "get_load", "2019-03-10"),
    "caiso_forecast": gridstatus(
        "CAISO",
        "get_renewables_forecast_dam",
        "2025-02-04",
        total=lambda table: numbers(table[table["Location"] == "CAISO"]),
    ),
    "ercot_mix": gridstatus(
        "Ercot",
        "get_fuel_mix",
        "latest",
        total=lambda table: float(table.drop(columns="Time").astype(float).sum().sum()),
    ),
    "ercot_storage": gridstatus(
        "Ercot", "get_energy_storage_resources", total=column("Net Output")
    ),
    "ercot_wind": ercot_report("get_wind_actual_and_forecast_hourly"),
    "ercot_solar": ercot_report("get_solar_actual_and_forecast_hourly"),
    "ieso_mix": gridstatus("IESO", "get_fuel_mix", "latest"),
    "ieso_year": gridstatus("IESO", "get_fuel_mix", "2016-01-01"),
    "ieso_forecast": (ieso_forecast, ontario),
    "isone_wind": gridstatus(
        "ISONE", "get_wind_forecast", "2025-02-25", total=column("Wind Forecast")
    ),
    "isone_solar": gridstatus(
        "ISONE", "get_solar_forecast", "2025-02-25", total=column("Solar Forecast")
    ),
    "isone_load": gridstatus("ISONE", "get_load_forecast", "2025-03-17"),
    "miso_mix": gridstatus("MISO", "get_fuel_mix", "latest"),
    "nyiso_month": gridstatus("NYISO", "get_fuel_mix", "2025-02-01", end="2025-03-01"),
    "nyiso_mix": nyiso("rtfuelmix", "get_fuel_mix", "2017-11-22", numbers),
    "nyiso_load": gridstatus("NYISO", "get_load", "2017-11-22", total=column("Load")),
    "nyiso_forecast": nyiso(
        "isolf", "get_load_forecast", "2025-02-19", column("Load Forecast")
    ),
    "nyiso_flow": gridstatus(
        "NYISO", "get_interface_limits_and_flows_5_min", "2017-11-22", total=external
    ),
    "pjm_mix": gridstatus("PJM", "get_fuel_mix", "2025-02-09", key="none"),
    "spp_mix": gridstatus("SPP", "_get_fuel_mix", "latest"),
    "aeso_mix": gridstatus("AESO", "get_fuel_mix", key="none"),
    "aeso_wind": gridstatus(
        "AESO",
        "get_wind_forecast_7_day",
        "latest",
        key="none",
        total=column("Most Likely Generation Forecast"),
    ),
    "aeso_solar": gridstatus(
        "AESO",
        "get_solar_forecast_7_day",
        "latest",
        key="none",
        total=column("Most Likely Generation Forecast"),
    ),
    "eia_fuels": (eia("fuel-type-data"), numbers),
    "eia_regions": (eia("region-data"), numbers),
    "eia_flows": (eia("interchange-data"), column("MW")),
    "entsoe_generation": entsoe("parse_generation"),
    "entsoe_load": entsoe("parse_loads"),
    "entsoe_price": entsoe("parse_prices"),
    "entsoe_flow": entsoe("parse_crossborder_flows"),
    "elexon_types": elexonpy(
        "GenerationApi",
        "generation_actual_per_type_get",
        "2024-01-01",
        "2024-01-02",
        format="dataframe",
    ),
    "elexon_fuels": elexonpy(
        "DatasetsApi", "datasets_fuelinst_stream_get", publish_date_time_from="2024-02-12"
    ),
    "aemo_units": nemosis(
        "DISPATCH_UNIT_SCADA",
        "2026/03/01 00:00:00",
        "2026/04/01 00:00:00",
        column("SCADAVALUE"),
    ),
    "aemo_regions": nemosis(
        "DISPATCHREGIONSUM", "2026/03/01 00:00:00", "2026/04/01 00:00:00", column("TOTALDEMAND")
    ),
    "aemo_rooftops": nemosis(
        "ROOFTOP_PV_ACTUAL", "2026/03/01 00:00:00", "2026/04/01 00:00:00", rooftops
    ),
    "aemo_flows": nemosis(
        "DISPATCHINTERCONNECTORRES",
        "2026/03/01 00:00:00",
        "2026/04/01 00:00:00",
        column("METEREDMWFLOW"),
    ),
    "openelectricity": (openelectricity, consumed),
}


def main() -> None:
    """Answer each line of the input."""
    cut_off()
    answers = sys.stdout
    sys.stdout = io.StringIO()  # packages print of what they do
    for line in sys.stdin:
        name, paths = json.loads(line)
        BODIES[:] = [Path(path).read_bytes() for path in paths]
        prepare, total = READERS[name]
        try:
            read = prepare()
            began = time.process_time_ns()
            found = read()
            spent = time.process_time_ns() - began
            said = {"sum": total(found), "spent": spent}
        except Exception as error:
            said = {"error": f"{type(error).__name__}: {error}"[:100]}
        print(json.dumps(said), file=answers, flush=True)


main()
