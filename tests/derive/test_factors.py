"""The factor sets: complete, cited, versioned."""

from __future__ import annotations

import hashlib
import json

import pytest

from gridtide.errors import BadInput
from gridtide.model import Signal
from gridtide_pipelines.derive.factors import (
    DEFAULT,
    WEIGHED_BY,
    FactorSet,
    factor_set,
    factor_sets,
    read,
)
from gridtide_store.vocabulary import FUELS

LIFECYCLE, DIRECT, CFE = WEIGHED_BY

# Whoever changes a figure raises the set's version and then this digest: values under an old
# name must stay what they were.
DIGESTS = {
    "carboncast": "bd761971f51d",
    "gridemissions": "5edd619da4ad",
    "ipcc_ar5": "e9a327ba665f",
    "unece_2022": "473874593b65",
}

SMALL = """
[cfe.all]
{cfe}
[sets.mine]
title = "mine"
version = {version}
cfe = "all"
fill = {fill}
[sets.mine.lifecycle]
{lifecycle}
[sets.mine.direct]
{direct}
[sets.last]
[sets.last.lifecycle]
wind = {{ g_per_kwh = 9.0, cite = "last" }}
oil = {{ g_per_kwh = 3.0, cite = "last" }}
[sets.rest]
fill = ["last"]
[sets.rest.lifecycle]
coal = {{ g_per_kwh = 1.0, cite = "rest" }}
wind = {{ g_per_kwh = 2.0, cite = "rest" }}
"""


def table(
    *, version: int = 1, fill: str = "[]", lifecycle: str = "", direct: str = "", cfe: str = ""
) -> str:
    whole = "\n".join(f'{fuel} = {{ g_per_kwh = 5, cite = "c" }}' for fuel in FUELS)
    shares = "\n".join(f'{fuel} = {{ share = 0.5, cite = "c" }}' for fuel in FUELS)
    return SMALL.format(
        version=version,
        fill=fill,
        lifecycle=lifecycle or whole,
        direct=direct or whole,
        cfe=cfe or shares,
    )


def digest(factors: FactorSet) -> str:
    figures = [{str(s): dict(w) for s, w in factors.weights.items()}]
    figures += [
        {zone: {str(s): dict(w) for s, w in by.items()} for zone, by in factors.zones.items()}
    ]
    return hashlib.sha256(json.dumps(figures, sort_keys=True).encode()).hexdigest()[:12]


def test_the_default_set_has_the_published_figures() -> None:
    weights = factor_set().weights
    # IPCC AR5 WG3 Annex III, Table A.III.2, medians; the rest Electricity Maps' defaults.
    assert weights[LIFECYCLE] == {
        "coal": 820,
        "gas": 490,
        "oil": 650,
        "nuclear": 12,
        "hydro": 24,
        "wind": 11,
        "solar": 45,
        "biomass": 230,
        "geothermal": 38,
        "hydro_storage": 362.9,
        "battery_storage": 358.44,
        "unknown": 700,
    }
    assert {fuel: g for fuel, g in weights[DIRECT].items() if g} == {
        "coal": 760,
        "gas": 370,
        "oil": 406,
        "hydro_storage": 303.19,
        "battery_storage": 297.68,
        "unknown": 575,
    }
    assert {fuel for fuel, share in weights[CFE].items() if share == 0} == {
        "coal",
        "gas",
        "oil",
        "unknown",
    }


@pytest.mark.parametrize("name", sorted(factor_sets()))
def test_every_set_has_a_cited_figure_for_every_fuel(name: str) -> None:
    factors = factor_set(name)
    for signal in WEIGHED_BY:
        assert set(factors.weights[signal]) == set(FUELS)
        assert all(factors.citations[signal][fuel] for fuel in FUELS)


@pytest.mark.parametrize("name", sorted(factor_sets()))
def test_a_figure_does_not_change_under_the_name_of_a_version(name: str) -> None:
    factors = factor_set(name)
    assert digest(factors) == DIGESTS[factors.name], "raise the set's version, then this digest"


def test_a_filling_gives_only_what_the_set_lacks() -> None:
    unece = factor_set("unece_2022").weights[LIFECYCLE]
    assert (unece["nuclear"], unece["coal"], unece["oil"]) == (5.13, 820, 650)


def test_an_earlier_filling_goes_before_a_later_one_and_before_its_own() -> None:
    some = "\n".join(
        f'{fuel} = {{ g_per_kwh = 5, cite = "c" }}'
        for fuel in FUELS
        if fuel not in ("wind", "oil")
    )
    for fill in ('["rest"]', '["rest", "last"]'):
        mine = read(table(lifecycle=some, fill=fill))["mine"].weights[LIFECYCLE]
        assert (mine["coal"], mine["wind"], mine["oil"]) == (5.0, 2.0, 3.0)


def test_a_zone_may_differ_in_single_figures() -> None:
    assert factor_set("carboncast").zones == {
        "SE": {Signal.CI_LIFECYCLE_PRODUCED: {"unknown": 292.9}}
    }


def test_the_first_version_bears_the_plain_name_and_later_ones_their_number() -> None:
    assert read(table())["mine"].name == "mine"
    assert read(table(version=2))["mine"].name == "mine-v2"
    assert factor_set(DEFAULT).source("eia") == "derived@ipcc_ar5/eia"


def test_an_unknown_set_names_those_there_are() -> None:
    with pytest.raises(
        BadInput, match=r"no factor set 'ipcc'; there are carboncast, .*ipcc_ar5"
    ):
        factor_set("ipcc")
    with pytest.raises(BadInput, match="no factor set 'em_default'"):
        factor_set("em_default")


ONE = 'coal = { g_per_kwh = 5, cite = "c" }'


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (table(lifecycle=ONE), r"mine, lifecycle: no figure for gas, oil"),
        (table(direct=ONE, fill='["rest"]'), r"mine, direct: no figure for gas"),
        (table(lifecycle=ONE + '\npeat = { g_per_kwh = 5, cite = "c" }'), "no fuel 'peat'"),
        (table(lifecycle='coal = { g_per_kwh = -5, cite = "c" }'), "out of range or uncited"),
        (table(lifecycle='coal = { g_per_kwh = 5, cite = "" }'), "out of range or uncited"),
        (table(cfe='coal = { share = 1.5, cite = "c" }'), "out of range or uncited"),
        (table(lifecycle="coal = { g_per_kwh = 5 }"), "lacks 'cite'"),
        (table(fill='["missing"]'), "lacks 'missing'"),
        ("sets = [", "not TOML"),
    ],
    ids=range(9),
)
def test_a_broken_table_is_refused_with_the_place(text: str, complaint: str) -> None:
    with pytest.raises(BadInput, match=complaint):
        read(text)
