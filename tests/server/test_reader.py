"""Following the pointer: new answers at once, none refused meanwhile, nothing left open."""

from __future__ import annotations

import logging
import shutil
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gridtide.errors import GridtideError
from gridtide_server.errors import NotReady
from gridtide_server.reader import Reader
from gridtide_server.view import View
from gridtide_store import manifest as manifests
from gridtide_store.data_directory import DataDirectory
from gridtide_store.errors import Damaged
from tests.server.published import HOUR, NOW, Asker, FixedClock, Publisher, observed, run

URL = "/v1/best-window?region=DE&hours=1"


def issue(publisher: Publisher, value: float) -> str:
    """Publish a run of DE with this value throughout; each replaces the one before."""
    issued_at = NOW - HOUR + value * (HOUR / 3600)
    publisher.add(run("DE", [value] * 24, issued_at=issued_at))
    return publisher.publish()


def start(publisher: Publisher) -> None:
    publisher.add(observed("DE", [100.0 + k for k in range(24)], start=NOW - 24 * HOUR))


def is_open(view: View) -> bool:
    """Whether the view's files can be read."""
    try:
        view.snapshot.observations("DE", "ci_lifecycle_produced", NOW - HOUR, NOW, as_of=NOW)
    except Damaged:
        return False
    return True


def test_a_new_snapshot_answers_the_next_question(publisher: Publisher) -> None:
    start(publisher)
    with Asker(publisher.home, FixedClock(NOW)) as ask:
        assert ask(URL).status_code == 503
        for value in (1.0, 2.0, 3.0):
            issue(publisher, value)
            assert ask.json(URL)["mean"] == value


def test_readers_keep_the_old_snapshot_until_all_are_done(
    publisher: Publisher,
) -> None:
    start(publisher)
    reader = Reader(publisher.home)
    first = issue(publisher, 1.0)
    with reader.read() as one, reader.read() as other:
        assert one is other
        second = issue(publisher, 2.0)
        with reader.read() as new:
            assert (new.snapshot.id, one.snapshot.id) == (second, first)
        assert is_open(one)
    assert not is_open(one)
    assert is_open(new)
    reader.close()
    assert not is_open(new)


def test_in_the_background_no_request_waits_for_a_new_snapshot(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    start(publisher)
    first = issue(publisher, 1.0)
    reader = Reader(publisher.home, background=True)
    with reader.read() as view:
        assert view.snapshot.id == first
    opening, go_on = threading.Event(), threading.Event()
    verify = manifests.verify

    def slowly(*given: object) -> None:
        opening.set()
        assert go_on.wait(60)
        verify(*given)  # type: ignore[arg-type]  # as it was given

    second = issue(publisher, 2.0)
    monkeypatch.setattr(manifests, "verify", slowly)
    for _ in range(3):
        with reader.read() as view:
            assert view.snapshot.id == first
    assert opening.wait(60)
    go_on.set()
    assert served(reader, second)
    assert not is_open(view)
    reader.close()


def test_in_the_background_too_the_old_one_stays_where_the_new_one_is_damaged(
    publisher: Publisher, caplog: pytest.LogCaptureFixture
) -> None:
    start(publisher)
    first = issue(publisher, 1.0)
    reader = Reader(publisher.home, background=True)
    with reader.read():
        pass
    broken = issue(publisher, 2.0)
    (publisher.home.snapshots / broken / "manifest.json").write_bytes(b"{")
    with caplog.at_level(logging.ERROR):
        for _ in range(20):
            with reader.read() as view:
                assert view.snapshot.id == first
            time.sleep(0.05)
    assert [record.message for record in caplog.records] == [
        "the newest snapshot cannot be read; an older one answers"
    ]
    third = issue(publisher, 3.0)
    assert served(reader, third)
    reader.close()


def served(reader: Reader, snapshot: str) -> bool:
    """Whether the reader comes to serve the snapshot, within a minute."""
    for _ in range(600):
        with reader.read() as view:
            if view.snapshot.id == snapshot:
                return True
        time.sleep(0.1)
    return False


def test_a_closed_reader_waits_for_its_requests_and_opens_again(publisher: Publisher) -> None:
    start(publisher)
    issue(publisher, 1.0)
    reader = Reader(publisher.home)
    with reader.read() as view:
        reader.close()
        assert is_open(view)
    assert not is_open(view)
    with reader.read() as again:
        assert is_open(again)
    reader.close()


def test_what_cannot_be_opened_is_logged_once_and_the_old_one_stays(
    publisher: Publisher, caplog: pytest.LogCaptureFixture
) -> None:
    start(publisher)
    issue(publisher, 1.0)
    with Asker(publisher.home, FixedClock(NOW)) as ask:
        assert ask.json(URL)["mean"] == 1.0
        broken = issue(publisher, 2.0)
        for file in (publisher.home.snapshots / broken).iterdir():
            file.write_bytes(b"")
        with caplog.at_level(logging.ERROR):
            assert [ask.json(URL)["mean"] for _ in range(3)] == [1.0] * 3
        (record,) = caplog.records
        assert "the old one stays" in record.message
        assert broken in vars(record)["reason"]
        issue(publisher, 3.0)
        assert ask.json(URL)["mean"] == 3.0


def test_a_first_snapshot_that_cannot_be_opened_is_a_problem_not_a_crash(
    publisher: Publisher,
) -> None:
    start(publisher)
    broken = issue(publisher, 1.0)
    (publisher.home.snapshots / broken / "manifest.json").write_bytes(b"{")
    with Asker(publisher.home, FixedClock(NOW)) as ask:
        problem = ask.problem(URL, 503, "damaged")
        assert "gridtide publish" in problem["detail"]
        assert ask("/readyz").status_code == 503
        assert ask("/metrics").status_code == 200


def test_a_pointer_that_vanishes_leaves_what_is_open(publisher: Publisher) -> None:
    start(publisher)
    issue(publisher, 1.0)
    with Asker(publisher.home, FixedClock(NOW)) as ask:
        assert ask.json(URL)["mean"] == 1.0
        shutil.rmtree(publisher.home.snapshots)
        publisher.home.current.unlink()
        assert ask.json(URL)["mean"] == 1.0


def test_nothing_published_says_what_to_run(publisher: Publisher) -> None:
    with pytest.raises(NotReady, match="gridtide refresh"), Reader(publisher.home).read():
        pass


def test_what_the_demo_published_is_named_where_nothing_else_is(publisher: Publisher) -> None:
    simulated = publisher.home.root / "simulated"
    simulated.mkdir(parents=True)
    (simulated / "CURRENT").write_text("x")
    with pytest.raises(NotReady) as raised, Reader(publisher.home).read():
        pass
    assert f"--home {simulated} or GRIDTIDE_HOME" in str(raised.value)


@pytest.mark.slow
def test_no_request_fails_while_20_snapshots_are_published(publisher: Publisher) -> None:
    start(publisher)
    issue(publisher, 0.0)
    done, turn = threading.Event(), threading.Semaphore(0)
    with Asker(publisher.home, FixedClock(NOW)) as ask, ThreadPoolExecutor(2) as threads:

        def work() -> list[float]:
            seen = []
            while not done.is_set():
                answer = ask(URL)
                assert answer.status_code == 200, answer.text
                history = ask("/v1/zones/DE/intensity?start=2026-03-01T12:00Z")
                assert len(history.json()["slots"]) == 24
                seen.append(answer.json()["mean"])
                turn.release()
            return seen

        asking = [threads.submit(work) for _ in range(2)]
        for value in range(1, 21):
            issue(publisher, float(value))
            while turn.acquire(blocking=False):
                pass
            # Some requests lie between two publications; others span one.
            assert all(turn.acquire(timeout=60) for _ in range(5))
        done.set()
        seen = [each.result() for each in asking]
        # While one request opens the newest snapshot the others go on with the one before.
        assert ask.json(URL)["mean"] == 20.0
    # Never backwards.
    assert all(values == sorted(values) for values in seen)
    assert sum(map(len, seen)) >= 100


def test_errors_of_reading_are_ours(publisher: Publisher) -> None:
    publisher.home.current.write_text("../elsewhere\n")
    with pytest.raises(GridtideError, match="names no snapshot"):
        Reader(publisher.home).read().__enter__()


def test_a_data_directory_that_cannot_be_read_is_reported_as_such(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("no folder")
    with Asker(DataDirectory(tmp_path / "home"), FixedClock(NOW)) as ask:
        answer = ask(URL)
    assert (answer.status_code, answer.json()["code"]) == (503, "unusable_home")
    assert "GRIDTIDE_HOME" in answer.json()["detail"]


def test_damage_found_by_a_question_of_many_is_503_and_the_next_call_opens_anew(
    publisher: Publisher,
) -> None:
    start(publisher)
    issue(publisher, 1.0)
    row = {"start": "2026-03-02T11:00Z", "end": "2026-03-02T12:00Z", "kwh": 1}
    question = {"kind": "footprint", "region": "DE", "rows": [row]}
    batch = {"questions": [question]}
    with Asker(publisher.home, FixedClock(NOW)) as ask:
        assert ask.post("/v1/batch", batch)["answers"][0]["gross_g"] == 123.0
        with ask.reader.read() as view:
            view.snapshot.close()
        ask.problem("/v1/batch", 503, "damaged", batch)
        assert ask.post("/v1/batch", batch)["answers"][0]["gross_g"] == 123.0
