"""A latest value that is too old is not served as now."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from gridtide.cli import script
from gridtide.client import Client
from gridtide.clock import Clock
from gridtide.errors import GridtideError, ServiceUnavailable, StaleData
from gridtide.local import Host, LocalTransport
from gridtide_store.data_directory import DataDirectory
from tests.server.published import HOUR, NOW, Asker, FixedClock, Publisher, observed

DE = "/v1/zones/DE/intensity"
MINUTE = timedelta(minutes=1)


def test_a_value_of_six_hours_is_now_and_an_older_one_is_refused(home: DataDirectory) -> None:
    with Asker(home, FixedClock(NOW + 6 * HOUR)) as ask:
        answer = ask.json(DE)
    assert (answer["stale"], answer["data_age_seconds"]) == (False, 6 * 3600)
    with Asker(home, FixedClock(NOW + 6 * HOUR + MINUTE)) as ask:
        problem = ask.problem(DE, 503, "stale_data")
    assert problem["slot_end"] == "2026-03-02T12:00:00Z"
    assert problem["slot_start"] == "2026-03-02T11:00:00Z"
    assert problem["data_age_seconds"] == 6 * 3600 + 60
    assert problem["max_age_seconds"] == 6 * 3600
    for words in ("2026-03-02T12:00:00Z", "6.0 h ago", "gridtide refresh", "max_age"):
        assert words in problem["detail"]


@pytest.mark.parametrize("years", [1, 5])
def test_a_larger_maximum_age_answers_and_flags_it(home: DataDirectory, years: int) -> None:
    with Asker(home, FixedClock(NOW + timedelta(days=365 * years))) as ask:
        answer = ask.json(f"{DE}?max_age={24 * 365 * years}")
        ask.problem(f"{DE}?max_age={24 * 365 * years - 0.01}", 503, "stale_data")
    assert answer["stale"] is True
    assert answer["data_age_seconds"] == years * 365 * 86400
    assert answer["slots"][0]["value"] == 511.0


def test_a_smaller_maximum_age_refuses_what_is_served_by_default(home: DataDirectory) -> None:
    with Asker(home, FixedClock(NOW + HOUR)) as ask:
        assert ask.json(DE)["stale"] is False
        ask.problem(f"{DE}?max_age=0.5", 503, "stale_data")


def test_a_range_is_history_at_any_age(home: DataDirectory) -> None:
    with Asker(home, FixedClock(NOW + timedelta(days=900))) as ask:
        answer = ask.json(f"{DE}?start=2026-03-02T10:00Z&end=2026-03-02T12:00Z")
        assert answer["stale"] is False
        ask.problem(f"{DE}?start=2026-03-02T10:00Z&max_age=2", 422, "bad_input")


@pytest.mark.parametrize("text", ["0", "-1", "nan", "inf", "1e400", "x", "", "9" * 400])
def test_a_maximum_age_is_a_number_of_hours(ask: Asker, text: str) -> None:
    assert "max_age" in ask.problem(f"{DE}?max_age={text}", 422, "bad_input")["detail"]


def test_age_counts_to_the_requested_moment(home: DataDirectory) -> None:
    with Asker(home, FixedClock(NOW + timedelta(days=900))) as ask:
        assert ask.json(f"{DE}?as_of=2026-03-02T12:30Z")["data_age_seconds"] == 1800
    with Asker(home, Clock(NOW + HOUR)) as ask:
        answer = ask.json(DE)
    assert (answer["replay"], answer["stale"]) == (True, False)


def test_a_slot_that_still_runs_makes_nothing_younger(publisher: Publisher) -> None:
    ahead = datetime(2029, 1, 1, tzinfo=UTC)
    publisher.add(
        observed("DE", [1.0], start=NOW - 9 * HOUR),
        # Said of the future, and of a slot that runs from two hours ago until then.
        observed("DE", [7.0], start=ahead, known_at=NOW - 8 * HOUR),
        observed("FR", [1.0], start=NOW - 9 * HOUR),
        observed("FR", [7.0], start=NOW - 2 * HOUR, step=ahead - NOW, known_at=NOW - HOUR),
        # Of one that began just now, after one that has ended.
        observed("BE", [1.0, 2.0], start=NOW - HOUR, known_at=NOW),
    )
    publisher.publish()
    later = NOW + HOUR / 2
    with Asker(publisher.home, FixedClock(later)) as ask:
        for zone in ("DE", "FR"):
            problem = ask.problem(f"/v1/zones/{zone}/intensity", 503, "stale_data")
            assert problem["data_age_seconds"] == 8.5 * 3600
        running = ask.json("/v1/zones/BE/intensity")
        ages = {
            each["zone"]: each["data_age_seconds"] for each in ask.json("/v1/zones")["zones"]
        }
        assert ask("/readyz").status_code == 503
    assert (running["slots"][0]["value"], running["data_age_seconds"]) == (2.0, 1800)
    assert ages == {"BE": 1800, "DE": 8.5 * 3600, "FR": 8.5 * 3600}


def test_the_setting_moves_the_border(home: DataDirectory) -> None:
    late = (NOW + 20 * HOUR).isoformat()
    environ = {"GRIDTIDE_HOME": str(home.root), "GRIDTIDE_NOW": late}
    with Client(environ=environ) as client, pytest.raises(StaleData):
        client.intensity("DE")
    with Client(environ=environ | {"GRIDTIDE_MAX_AGE_HOURS": "20"}) as client:
        assert client.intensity("DE").stale is False


def test_the_sdk_has_an_error_of_its_own_and_sends_once(home: DataDirectory) -> None:
    with Asker(home, FixedClock(NOW + 30 * HOUR)) as ask:
        transport = LocalTransport(Host(ask.app))
        with Client("http://test", transport=transport, pause=pytest.fail) as client:
            with pytest.raises(StaleData) as caught:
                client.intensity("DE")
            answer = client.intensity("DE", max_age=48)
    assert isinstance(caught.value, GridtideError)
    assert not isinstance(caught.value, ServiceUnavailable)
    assert (caught.value.code, caught.value.exit_code) == ("stale_data", 5)
    assert caught.value.extra["slot_end"] == "2026-03-02T12:00:00Z"
    assert (answer.stale, answer.data_age_seconds) == (True, 30 * 3600)


def test_now_ends_with_five_and_takes_a_maximum_age(
    home: DataDirectory, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--home", str(home.root), "--now", (NOW + 30 * HOUR).isoformat(), "now", "DE"]
    assert script.main(words, {}) == 5
    assert "--max-age" in capsys.readouterr().err
    assert script.main([*words, "--max-age", "48"], {}) == 0
    assert "STALE" in capsys.readouterr().out
    assert script.main([*words, "--max-age", "48", "--json"], {}) == 0
    assert json.loads(capsys.readouterr().out)["stale"] is True


def test_now_of_several_regions_answers_those_it_can(
    publisher: Publisher, capsys: pytest.CaptureFixture[str]
) -> None:
    publisher.add(
        observed("DE", [1.0], start=NOW - HOUR), observed("FR", [2.0], start=NOW - 9 * HOUR)
    )
    publisher.publish()
    words = ["--home", str(publisher.home.root), "--now", NOW.isoformat(), "now", "FR", "DE"]
    assert script.main(words, {}) == 5
    said = capsys.readouterr()
    assert "DE (Germany): 1.0" in said.out
    assert "FR (France)" in said.err
    assert script.main([*words, "--json"], {}) == 5
    stale, fresh = json.loads(capsys.readouterr().out)
    assert (stale["region"], stale["code"]) == ("FR", "stale_data")
    assert fresh["slots"][0]["value"] == 1.0


@pytest.mark.parametrize("text", ["48", "48h", "PT48H", "2880min", "2d"])
def test_a_maximum_age_is_a_length_like_any_other(home: DataDirectory, text: str) -> None:
    with Asker(home, FixedClock(NOW + 48 * HOUR)) as ask:
        assert ask.json(f"{DE}?max_age={text}")["stale"] is True
    with Asker(home, FixedClock(NOW + 48 * HOUR + MINUTE)) as ask:
        assert (
            ask.problem(f"{DE}?max_age={text}", 503, "stale_data")["max_age_seconds"] == 172800
        )
