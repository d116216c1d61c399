"""One line an event, for people or for containers."""

from __future__ import annotations

import io
import json
import logging
from pathlib import Path

import pytest

from gridtide_store.logs import configure
from gridtide_store.settings import Settings


def written(*, as_json: bool, level: str = "INFO", unknown: tuple[str, ...] = ()) -> str:
    stream = io.StringIO()
    settings = Settings(Path("/x"), log_json=as_json, log_level=level, unknown=unknown)
    configure(settings, stream)
    log = logging.getLogger("gridtide_test")
    log.info("retrieved %s", "eia", extra={"rows": 3, "source": "eia"})
    log.debug("too fine")
    return stream.getvalue()


def test_a_line_has_time_level_message_and_fields() -> None:
    (line,) = written(as_json=False).splitlines()
    assert line.endswith("INFO gridtide_test: retrieved eia rows=3 source=eia")
    assert line[:4].isdigit()


def test_a_json_line_is_one_object_with_the_fields_beside_the_message() -> None:
    (line,) = written(as_json=True).splitlines()
    event = json.loads(line)
    assert event["message"] == "retrieved eia"
    assert (event["rows"], event["source"], event["level"]) == (3, "eia", "INFO")


def test_a_traceback_stays_inside_its_json_line() -> None:
    stream = io.StringIO()
    configure(Settings(Path("/x"), log_json=True), stream)
    try:
        raise ValueError("broken")  # noqa: TRY301  # something to log
    except ValueError:
        logging.getLogger("gridtide_test").exception("it failed")
    (line,) = stream.getvalue().splitlines()
    assert "ValueError: broken" in json.loads(line)["traceback"]


def test_a_finer_level_than_the_setting_is_silent() -> None:
    assert written(as_json=False, level="ERROR") == ""


def test_odd_settings_are_said_at_once() -> None:
    assert "GRIDTIDE_HOEM is odd" in written(as_json=False, unknown=("GRIDTIDE_HOEM is odd",))


@pytest.mark.parametrize("name", ["httpx", "httpcore"])
def test_the_http_librarys_own_lines_are_left_out(name: str) -> None:
    stream = io.StringIO()
    configure(Settings(Path("/x"), log_level="DEBUG"), stream)
    logging.getLogger(name).info("HTTP Request: GET /?api_key=k")
    assert stream.getvalue() == ""
