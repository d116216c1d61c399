"""`/v1/footprint`: sums by hand over the history in `published`, and a printed one."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gridtide.accounting.sci import Factors
from gridtide.client import Client
from gridtide.errors import BadInput, GridtideError, NoData
from gridtide.local import Host, LocalTransport
from gridtide.model import parse_time
from gridtide_store.data_directory import DataDirectory
from tests.server.published import NOW, Asker, FixedClock

Json = dict[str, Any]
PATH = "/v1/footprint"


def row(start: str, end: str, kwh: float) -> Json:
    """Energy from and to an hour and minute of 1 March, or of another day."""
    days = [each if "T" in each else f"2026-03-01T{each}" for each in (start, end)]
    return {"start": f"{days[0]}:00Z", "end": f"{days[1]}:00Z", "kwh": kwh}


# 40 min at 110, an hour at 111, 40 min at 112: a mean of 111 over 3 kWh.
ROW = row("10:20", "12:40", 3)


def test_rows_are_split_at_the_slots_they_cut(ask: Asker) -> None:
    answer = ask.post(PATH, {"region": "DE", "rows": [ROW, row("00:30", "01:00", 2)]})
    assert [each["gross_g"] for each in answer["rows"]] == pytest.approx([333.0, 200.0])
    assert (answer["kwh"], answer["gross_g"]) == (5.0, pytest.approx(533.0))
    assert answer["g_per_kwh"] == pytest.approx(533 / 5)
    # Nobody said what clean energy was bought: none.
    assert answer["net_g"] == answer["gross_g"]
    assert answer["rows"][0]["start"] == "2026-03-01T10:20:00Z"
    for name, value in {
        **{"region": "DE", "zone": "DE", "zone_name": "Germany", "resolved_by": "zone key"},
        **{"certainty": "exact", "meaning": None},
        **{"signal": "ci_lifecycle_produced", "unit": "gCO2e/kWh", "quality": "measured"},
        **{"simulated": False, "source": "derived@ipcc_ar5/alpha", "licence": "CC-BY-4.0"},
        **{"data_age_seconds": 0.0, "as_of": "2026-03-02T12:00:00Z", "replay": False},
    }.items():
        assert answer[name] == value, name


def test_overhead_counts_in_energy_and_grams(ask: Asker) -> None:
    answer = ask.post(PATH, {"region": "DE", "rows": [ROW], "pue": 1.5})
    assert (answer["kwh"], answer["rows"][0]["kwh"]) == (4.5, 4.5)
    assert answer["gross_g"] == pytest.approx(499.5)


def test_clean_energy_covers_the_hour_it_is_bought_in(ask: Asker) -> None:
    bought = [row("11:00", "12:00", 10)]
    answer = ask.post(PATH, {"region": "DE", "rows": [ROW], "clean": bought})
    # 3 x 60/140 kWh at 111 are covered, and the rest of the 10 kWh is of no use.
    assert answer["gross_g"] == pytest.approx(333.0)
    assert answer["net_g"] == pytest.approx(333 - 111 * 3 * 60 / 140)


def test_what_is_unknown_is_no_zero(ask: Asker) -> None:
    gap = row("2026-03-02T04:00", "2026-03-02T05:00", 7)
    answer = ask.post(PATH, {"region": "DE", "rows": [ROW, gap]})
    assert (answer["kwh"], answer["known_kwh"], answer["known_g"]) == (
        10.0,
        3.0,
        pytest.approx(333),
    )
    for name in ("gross_g", "net_g", "g_per_kwh"):
        assert answer[name] is None, name
    assert answer["equivalents"] == []
    assert [each["gross_g"] for each in answer["rows"]] == [pytest.approx(333.0), None]
    withdrawn = row("2026-03-02T08:00", "2026-03-02T09:00", 1)
    ahead = row("2026-03-02T12:00", "2026-03-02T13:00", 1)
    for each in (withdrawn, ahead):
        answer = ask.post(PATH, {"region": "DE", "rows": [each]})
        assert (answer["gross_g"], answer["known_kwh"], answer["quality"]) == (None, 0.0, None)


def test_only_what_was_known_then_counts(ask: Asker) -> None:
    rows = [row("2026-03-02T10:00", "2026-03-02T11:00", 1)]
    assert ask.post(PATH, {"region": "DE", "rows": rows})["gross_g"] == 520.0
    then = ask.post(PATH, {"region": "DE", "rows": rows, "as_of": "2026-03-02T11:10:00Z"})
    assert (then["gross_g"], then["as_of"]) == (510.0, "2026-03-02T11:10:00Z")


def test_hours_from_a_start_are_one_row(ask: Asker) -> None:
    sent = {"hours": 2, "power_kw": 0.5, "processors": 4, "start": "2026-03-01T06:00Z"}
    answer = ask.post(PATH, {"region": "DE", **sent, "pue": 1.25})
    # 2 h x 4 x 0.5 kW x 1.25 at the mean of 106 and 107.
    assert (answer["kwh"], answer["gross_g"]) == (5.0, pytest.approx(5 * 106.5))
    assert len(answer["rows"]) == 1


def test_a_printed_training_run_is_met(ask: Asker) -> None:
    # GPT-3 in Patterson et al. 2021, Table 4: 14.8 days on 10,000 V100 of 330 W, PUE 1.10,
    # 429 g/kWh: 1,287 MWh and 552.1 t. Its inputs are rounded.
    sent = {"hours": 14.8 * 24, "processors": 10_000, "power_kw": 0.33, "pue": 1.1}
    answer = ask.post(PATH, {**sent, "g_per_kwh": 429, "net_g_per_kwh": 0})
    assert answer["kwh"] == pytest.approx(1_287_000, rel=2e-3)
    assert answer["gross_g"] == pytest.approx(552.1e6, rel=2e-3)
    assert (answer["net_g"], answer["g_per_kwh"]) == (0.0, 429.0)
    # "~460 round trips": 1.2 t a passenger.
    first = answer["equivalents"][0]
    assert "San Francisco - New York, one passenger" in first["what"]
    assert first["amount"] == pytest.approx(460, rel=5e-3)
    for name in ("region", "zone", "signal", "quality", "source", "data_age_seconds"):
        assert answer[name] is None, name


def test_a_given_intensity_needs_nothing_published(tmp_path: Path) -> None:
    sent = {"hours": 10, "power_kw": 2, "g_per_kwh": 300}
    with Asker(DataDirectory(tmp_path / "nothing"), FixedClock(NOW)) as asker:
        answer = asker.post(PATH, sent)
        assert (answer["kwh"], answer["gross_g"]) == (20.0, 6000.0)
        body = json.dumps({"region": "DE", "rows": [ROW]}).encode()
        assert asker(PATH, "POST", body=body).status_code == 503


def test_requests_have_a_footprint_each(ask: Asker) -> None:
    sent = {"requests": 1000, "kwh_per_request": 0.002, "pue": 1.5, "g_per_kwh": 100}
    answer = ask.post(PATH, sent)
    assert (answer["kwh"], answer["gross_g"]) == (3.0, 300.0)
    assert answer["per_request_g"] == pytest.approx(0.3)


def test_the_sci_adds_what_is_embodied_per_unit(ask: Asker) -> None:
    answer = ask.post(PATH, {"region": "DE", "rows": [ROW], "embodied_g": 67, "per": 4})
    assert answer["sci"] == pytest.approx((333 + 67) / 4)
    gap = row("2026-03-02T04:00", "2026-03-02T05:00", 7)
    answer = ask.post(PATH, {"region": "DE", "rows": [gap], "embodied_g": 67, "per": 4})
    assert answer["sci"] is None


def test_a_gain_is_the_product_of_its_factors(ask: Asker) -> None:
    before = {"hours": 10, "power_kw": 2, "g_per_kwh": 400}
    answer = ask.post(PATH, {"hours": 5, "power_kw": 1, "g_per_kwh": 100, "before": before})
    assert answer["gain"] == {
        **{"work": 2.0, "power": 2.0, "overhead": 1.0, "intensity": 4.0},
        "total": 16.0,
    }


def test_a_simulated_history_says_so(ask: Asker) -> None:
    rows = [row("2026-03-02T11:00", "2026-03-02T12:00", 1)]
    answer = ask.post(PATH, {"region": "NL", "rows": rows})
    assert (answer["simulated"], answer["quality"]) == (True, "simulated")


# Both ways

HOURS: Json = {"hours": 2, "power_kw": 1}
BAD: list[tuple[str, Json, str]] = [
    ("nothing", {}, "give one of rows"),
    ("two ways", {**HOURS, "requests": 1, "kwh_per_request": 1}, "got hours and requests"),
    ("no power", {"hours": 2, "g_per_kwh": 1}, "a footprint of hours needs power_kw"),
    ("no intensity", HOURS, "give a region, whose intensity at the time counts, or g_per_kwh"),
    ("two intensities", {**HOURS, "g_per_kwh": 1, "region": "DE"}, "one of them"),
    ("no time", {**HOURS, "region": "DE"}, "give start"),
    (
        "power below 0",
        {"hours": 2, "power_kw": -1, "region": "DE", "start": "2026-03-01T00:00Z"},
        "power_kw is -1",
    ),
    ("no use", {**HOURS, "g_per_kwh": 1, "kwh_per_request": 1}, "does not use kwh_per_request"),
    ("an offset", {**HOURS, "g_per_kwh": 1, "offset_g": 0}, "an offset of 0 g does not belong"),
    ("half an SCI", {**HOURS, "g_per_kwh": 1, "per": 1}, "embodied_g and per go together"),
    ("no unit", {**HOURS, "g_per_kwh": 1, "per": 0, "embodied_g": 0}, "above 0"),
    ("less than no hours", {**HOURS, "hours": -2, "g_per_kwh": 1}, "hours is -2"),
    (
        "no hours in a region",
        {**HOURS, "hours": 0, "region": "DE", "start": "2026-03-01T06:00Z"},
        "hours is 0; give a number above 0",
    ),
    ("an overhead below 1", {**HOURS, "g_per_kwh": 1, "pue": 0.5}, "pue is 0.5"),
    (
        "a share",
        {"region": "DE", "rows": [ROW], "signal": "cfe_produced"},
        "not a carbon intensity",
    ),
    ("no row", {"region": "DE", "rows": []}, "rows is empty; give at least one row"),
    ("energy below 0", {"region": "DE", "rows": [{**ROW, "kwh": -1}]}, "kWh is -1"),
    (
        "rows without a region",
        {"rows": [ROW], "g_per_kwh": 1},
        "a footprint of rows needs region",
    ),
    (
        "a row that ends first",
        {"region": "DE", "rows": [row("12:00", "11:00", 1)]},
        "does not end after it starts",
    ),
    (
        "rows years apart",
        {"region": "DE", "rows": [ROW, row("2020-01-01T00:00", "2020-01-01T01:00", 1)]},
        "over 1830 days; ask in parts",
    ),
    ("a net of a region", {"region": "DE", "rows": [ROW], "net_g_per_kwh": 1}, "give clean"),
]


@pytest.fixture(scope="module")
def client(ask: Asker) -> Iterator[Client]:
    """The SDK, asking the very application that `ask` asks."""
    with Client("http://test", transport=LocalTransport(Host(ask.app))) as client:
        yield client


def as_arguments(sent: Json) -> Json:
    """The same question in Python."""
    given = dict(sent)
    for name in ("rows", "clean"):
        if name in given:
            given[name] = [
                (parse_time(each["start"]), parse_time(each["end"]), each["kwh"])
                for each in given[name]
            ]
    if "before" in given:
        given["before"] = Factors(**given["before"])
    return given


@pytest.mark.parametrize(
    ("sent", "words"), [case[1:] for case in BAD], ids=[case[0] for case in BAD]
)
def test_rest_and_python_refuse_alike(
    ask: Asker, client: Client, sent: Json, words: str
) -> None:
    problem = ask.problem(PATH, 422, "bad_input", sent)
    assert words in problem["detail"]
    with pytest.raises(BadInput, match=re.escape(words)) as caught:
        client.footprint(**as_arguments(sent))
    assert type(caught.value) is BadInput


@pytest.mark.parametrize(
    ("ask_sdk", "kind"),
    [
        (lambda ask: ask.footprint([(NOW, NOW)], region="DE"), BadInput),
        (lambda ask: ask.footprint([("2026", NOW, 1)], region="DE"), BadInput),
        (lambda ask: ask.footprint(hours=1, power_kw=1, g_per_kwh=float("nan")), BadInput),
        (lambda ask: ask.footprint([(NOW, NOW, 1)], region="DE", signal="co2"), BadInput),
        (
            lambda ask: ask.footprint(
                hours=1, power_kw=1, region="AT", start="2026-03-01T00:00Z"
            ),
            NoData,
        ),
    ],
)
def test_python_refuses_what_cannot_be_sent_over_rest(
    client: Client, ask_sdk: Callable[[Client], object], kind: type[GridtideError]
) -> None:
    with pytest.raises(kind):
        ask_sdk(client)


@pytest.mark.parametrize(
    "sent",
    [
        {"region": "DE", "rows": [ROW], "clean": [ROW], "pue": 1.1, "embodied_g": 5, "per": 2},
        {"region": "DE", **HOURS, "start": "2026-03-01T06:00:00Z", "processors": 3},
        {
            **HOURS,
            "g_per_kwh": 9,
            "net_g_per_kwh": 3,
            "before": {"hours": 9, "power_kw": 2, "g_per_kwh": 4},
        },
        {"requests": 5, "kwh_per_request": 0.5, "g_per_kwh": 1.5},
        {"region": "FR", "rows": [ROW], "signal": "ci_lifecycle_produced"},
    ],
)
def test_python_gets_what_rest_answers(ask: Asker, client: Client, sent: Json) -> None:
    assert client.footprint(**as_arguments(sent)).to_json() == ask.post(PATH, sent)
