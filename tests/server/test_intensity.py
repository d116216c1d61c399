"""What was: the answers of ``/v1/zones/{zone}/intensity``."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Any

import httpx
import pytest

from gridtide_server import bodies
from gridtide_server.app import ServerSettings, create_app
from gridtide_server.reader import Reader
from gridtide_store.data_directory import DataDirectory
from tests.server.published import HOUR, NOW, Asker, FixedClock, Publisher, observed, run

DE = "/v1/zones/DE/intensity"


def values(answer: dict[str, Any]) -> dict[str, float | None]:
    """Value by hour and minute of the start."""
    return {slot["start"][11:16]: slot["value"] for slot in answer["slots"]}


def test_without_a_range_the_latest_slot_answers(ask: Asker) -> None:
    assert ask.json(DE) == {
        "region": "DE",
        "zone": "DE",
        "zone_name": "Germany",
        "resolved_by": "zone key",
        "certainty": "exact",
        "meaning": None,
        "signal": "ci_lifecycle_produced",
        "unit": "gCO2e/kWh",
        "simulated": False,
        "source": "derived@ipcc_ar5/alpha",
        "licence": "CC-BY-4.0",
        "data_age_seconds": 0.0,
        "estimates": [],
        "as_of": "2026-03-02T12:00:00Z",
        "replay": False,
        "stale": False,
        "aggregate": None,
        "slots": [
            {
                "start": "2026-03-02T11:00:00Z",
                "end": "2026-03-02T12:00:00Z",
                "value": 511.0,
                "quality": "measured",
                "known_at": "2026-03-02T12:00:00Z",
                "source": "derived@ipcc_ar5/alpha",
            }
        ],
    }


def test_the_latest_slot_of_an_earlier_moment_is_the_one_known_then(ask: Asker) -> None:
    # 08:00 was withdrawn, so at 09:30 the latest with a value is 07:00.
    answer = ask.json(f"{DE}?as_of=2026-03-02T09:30Z")
    assert values(answer) == {"07:00": 502.0}
    assert answer["data_age_seconds"] == 1.5 * 3600
    assert answer["as_of"] == "2026-03-02T09:30:00Z"


def test_a_range_shows_every_gap_and_says_what_was_withdrawn(ask: Asker) -> None:
    answer = ask.json(f"{DE}?start=2026-03-02T02:00Z&end=2026-03-02T11:00Z")
    assert values(answer) == {
        "02:00": 126.0,
        "03:00": None,
        "04:00": None,
        "05:00": 500.0,
        "06:00": 501.0,
        "07:00": 502.0,
        "08:00": None,
        "09:00": 509.0,
        "10:00": 520.0,
    }
    gap, withdrawn = answer["slots"][1], answer["slots"][6]
    assert (gap["quality"], gap["known_at"], gap["source"]) == (None, None, None)
    assert withdrawn["known_at"] == "2026-03-02T09:00:00Z"


def test_a_revision_is_seen_from_the_moment_it_was_known(ask: Asker) -> None:
    url = f"{DE}?start=2026-03-02T10:00Z&end=2026-03-02T11:00Z"
    assert values(ask.json(f"{url}&as_of=2026-03-02T11:29Z")) == {"10:00": 510.0}
    assert values(ask.json(f"{url}&as_of=2026-03-02T11:30Z")) == {"10:00": 520.0}


def test_a_range_ends_where_the_moment_is(ask: Asker) -> None:
    answer = ask.json(
        f"{DE}?start=2026-03-02T05:00Z&end=2026-03-04T00:00Z&as_of=2026-03-02T07:30Z"
    )
    assert values(answer) == {"05:00": 500.0, "06:00": 501.0}


def test_a_start_alone_reaches_to_now(ask: Asker) -> None:
    assert list(values(ask.json(f"{DE}?start=2026-03-02T09:30Z"))) == ["10:00", "11:00"]


def test_a_start_alone_reaches_to_as_of_whatever_was_known_ahead(publisher: Publisher) -> None:
    known_at = NOW - HOUR
    publisher.add(
        observed("DE", [1.0, 2.0], start=NOW - HOUR, step=HOUR / 2, known_at=known_at)
    )
    publisher.publish()
    with Asker(publisher.home, FixedClock(NOW)) as ask:
        answer = ask.json(f"{DE}?start=2026-03-02T10:00Z&as_of=2026-03-02T11:15Z")
    assert values(answer)["11:00"] == 1.0
    assert "11:30" not in values(answer)


def test_a_range_is_half_open_on_the_starts(ask: Asker) -> None:
    answer = ask.json(f"{DE}?start=2026-03-02T05:00Z&end=2026-03-02T06:00Z")
    assert values(answer) == {"05:00": 500.0}


def test_each_slot_names_its_source_and_the_answer_all_of_them(ask: Asker) -> None:
    answer = ask.json("/v1/zones/FR/intensity?start=2026-03-02T10:00Z")
    assert values(answer) == {"10:00": 70.0, "10:30": 71.0, "11:00": 72.0}
    assert [slot["source"] for slot in answer["slots"]] == [
        "beta",
        "beta",
        "derived@ipcc_ar5/alpha",
    ]
    assert answer["source"] == "beta, derived@ipcc_ar5/alpha"
    assert answer["licence"] == "CC-BY-4.0, public domain"


def test_another_signal_has_its_own_unit(ask: Asker) -> None:
    answer = ask.json(f"{DE}?signal=cfe_produced")
    assert (answer["unit"], answer["slots"][0]["value"]) == ("fraction", 0.5)


def test_simulated_values_say_so(ask: Asker) -> None:
    answer = ask.json("/v1/zones/NL/intensity")
    assert answer["simulated"] is True
    assert answer["slots"][0]["quality"] == "simulated"


def test_a_cloud_region_and_coordinates_resolve_to_their_zone(ask: Asker) -> None:
    for region in ("gcp:europe-west3", "51.5,10.0", "51.5%2C10.0"):
        assert ask.json(f"/v1/zones/{region}/intensity")["zone"] == "DE"


@pytest.mark.parametrize(
    ("zone", "query", "words"),
    [
        (
            "DE",
            "start=2026-02-01T00:00Z&end=2026-02-02T00:00Z",
            ("between", "known from 2026-03-01T00:00:00Z to 2026-03-02T12:00:00Z"),
        ),
        ("DE", "as_of=2026-02-01T00:00Z", ("as of 2026-02-01T00:00:00Z", "no values")),
        ("AT", "", ("no values", "gridtide zones")),
    ],
)
def test_where_nothing_is_known_the_problem_says_what_is(
    ask: Asker, zone: str, query: str, words: tuple[str, ...]
) -> None:
    problem = ask.problem(f"/v1/zones/{zone}/intensity?{query}", 404, "no_data")
    for word in words:
        assert word in problem["detail"]


def test_five_years_are_answered_and_more_are_refused(ask: Asker) -> None:
    assert ask(f"{DE}?start=2021-03-10T00:00Z").status_code == 200
    problem = ask.problem(f"{DE}?start=2020-01-01T00:00Z", 422, "bad_input")
    assert "at most 1830 days" in problem["detail"]
    assert "first start=2020-01-01T00:00:00Z&end=2025-01-04T00:00:00Z" in problem["detail"]


def test_a_range_of_too_many_slots_is_refused_with_parts_that_work(
    publisher: Publisher,
) -> None:
    quarter = timedelta(minutes=15)
    first = NOW - timedelta(days=1500)
    publisher.add(
        observed("DE", [100.0], start=first, step=quarter),
        observed("DE", [200.0], start=NOW - quarter, step=quarter),
    )
    publisher.publish()
    with Asker(publisher.home, FixedClock(NOW)) as ask:
        url = f"{DE}?start={first:%Y-%m-%dT%H:%MZ}"
        problem = ask.problem(url, 422, "bad_input")
        # 1500 days of 96 quarter hours.
        assert "144000 slots; at most 100000" in problem["detail"]
        part = problem["detail"].split("first ")[1].split(",")[0]
        slots = ask.json(f"{DE}?{part}")["slots"]
    assert 99_000 < len(slots) <= 100_000
    assert [slot["value"] for slot in slots[:2]] == [100.0, None]


def test_the_publisher_s_slot_that_still_runs_has_no_age(publisher: Publisher) -> None:
    publisher.add(
        observed("DE", [100.0], start=NOW - HOUR / 2, known_at=NOW - HOUR / 4),
    )
    publisher.publish()
    with Asker(publisher.home, FixedClock(NOW)) as ask:
        answer = ask.json(DE)
        assert values(answer) == {"11:30": 100.0}
        assert answer["data_age_seconds"] is None
        assert values(ask.json(f"{DE}?start=2026-03-02T11:00Z")) == {"11:30": 100.0}


def test_no_error_as_of_a_moment_shows_what_became_known_later(publisher: Publisher) -> None:
    then = NOW - 10 * HOUR
    late = ("2026-03-02T11", "2026-03-02T12", "cfe_produced", "2026-03-02T06", "FR")
    publisher.add(
        observed("DE", [1.0], start=then - HOUR),
        observed("DE", [2.0, 3.0], start=NOW - 2 * HOUR, known_at=NOW),
        observed("DE", [0.5], start=then - HOUR, signal="cfe_produced", known_at=NOW),
        observed("FR", [5.0], start=NOW - 6 * HOUR),
        run("DE", [5.0] * 9, signal="cfe_produced"),
    )
    publisher.publish(NOW, replay=True)
    as_of = then.isoformat().replace("+00:00", "Z")
    plan = {"job": {"hours": 1}, "as_of": as_of}
    with Asker(publisher.home, FixedClock(NOW)) as ask:
        gets = [
            f"/v1/zones/{zone}/{what}&as_of={as_of}"
            for zone in ("DE", "FR")
            for what in (
                "intensity?signal=cfe_produced",
                "intensity?start=2026-01-01T00:00Z&end=2026-01-02T00:00Z",
                "forecast?signal=cfe_produced",
                "forecast?model=x",
            )
        ]
        gets += [
            f"/v1/best-window?region=DE&hours=2&as_of={as_of}",
            f"/v1/best-window?region=AT&hours=2&as_of={as_of}",
            f"/v1/best-region?region=AT&region=DE&hours=2&as_of={as_of}",
            f"/v1/best-region?region=DE,AT&hours=2&signal=cfe_produced&as_of={as_of}",
        ]
        said = [ask(url) for url in gets]
        posts: list[tuple[str, dict[str, Any]]] = [
            ("/v1/plan", {**plan, "region": "DE"}),
            ("/v1/plan", {**plan, "places": {"places": ["DE", "AT"]}}),
            (
                "/v1/schedule",
                {"jobs": [{"job": {"hours": 1}, "region": "AT"}], "caps": {}, "as_of": as_of},
            ),
            (
                "/v1/footprint",
                {
                    "region": "DE",
                    "hours": 1,
                    "power_kw": 1,
                    "start": as_of,
                    "as_of": as_of,
                    "signal": "cfe_produced",
                },
            ),
        ]
        said += [ask(url, "POST", body=json.dumps(body).encode()) for url, body in posts]
    for answer in said:
        assert answer.status_code in (404, 422), answer.text
        assert answer.json()["code"] != "bad_input", answer.text
        reply = answer.json()["detail"] + str(answer.json().get("signals"))
        for word in late:
            # Its own question may be repeated.
            assert word not in reply.replace("of cfe_produced", "").replace("FR (", ""), reply


def test_few_long_histories_are_read_at_a_time(
    home: DataDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "ADMISSION_SECONDS", 0.05)
    app = create_app(ServerSettings(), Reader(home), FixedClock(NOW))
    admission, transport = app.state.admission, httpx.ASGITransport(app)

    async def call() -> list[httpx.Response]:
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            async with admission.enter_long(), admission.enter_long():
                first = [
                    await client.get(f"{DE}?start={start}T00:00Z")
                    for start in ("2025-01-01", "2026-02-01")
                ]
            return [*first, await client.get(f"{DE}?start=2025-01-01T00:00Z")]

    refused, short, later = asyncio.run(call())
    assert (refused.status_code, refused.json()["code"]) == (503, "overloaded")
    assert (short.status_code, later.status_code) == (200, 200)
