"""The clock as an argument, and the terminal as one."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime

from gridtide.cli.terminal import Terminal
from gridtide.clock import Clock


def test_a_fixed_clock_stands_still_and_says_it_is_a_replay() -> None:
    then = datetime(2021, 10, 1, tzinfo=UTC)
    assert Clock(then)() == then
    assert Clock(then).replay


def test_the_real_clock_goes_on_in_utc() -> None:
    clock = Clock()
    first = clock()
    assert first.tzinfo is UTC
    assert clock() >= first
    assert not clock.replay


def test_results_and_messages_go_apart_and_a_file_is_no_person() -> None:
    out, err = io.StringIO(), io.StringIO()
    terminal = Terminal(out, err, {})
    terminal.document({"name": "Łódź"})
    terminal.say("one moment")
    assert json.loads(out.getvalue()) == {"name": "Łódź"}
    assert err.getvalue() == "one moment\n"
    assert not terminal.interactive
