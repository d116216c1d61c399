"""What a server, `check` and `publish` must do with a damaged data directory."""

from __future__ import annotations

import pytest

from gridtide.cli import script
from gridtide_store.data_directory import DataDirectory
from tests.faults.damage import FORECAST, HISTORY, Case
from tests.server.published import HOUR, NOW, Asker, FixedClock


def answers(ask: Asker) -> list[str]:
    """How three questions are answered: from the matrix, from the files, and of the past.

    Whatever is damaged, a value is the true one or there is none.
    """
    history = "/v1/zones/DE/intensity?start=2026-03-01T12:00Z&end=2026-03-02T12:00Z"
    found = []
    for question in (
        "/v1/best-window?region=DE&hours=1",
        history,
        f"{history}&as_of=2026-03-02T11:59Z",
    ):
        answer = ask(question)
        if answer.status_code == 200:
            printed = answer.json()
            if "slots" in printed:
                values = [slot["value"] for slot in printed["slots"]]
                # The snapshot before has 20 of the 24; as of a minute ago one is not known.
                pairs = list(zip(values, HISTORY, strict=False))
                assert all(one in (None, true) for one, true in pairs)
                assert values[:20] == HISTORY[:20]
            else:
                assert printed["mean"] == min(FORECAST)
            found.append("right")
        else:
            assert answer.status_code == 503, answer.text
            assert answer.json()["code"] in ("damaged", "unusable_home", "newer_home")
            assert "; " in answer.json()["detail"]
            found.append("refused")
    assert ask("/healthz").status_code == 200
    return found


def gridtide(home: DataDirectory, *words: str) -> int:
    later = (NOW + HOUR).isoformat()
    return script.main([*words, "--now", later], {"GRIDTIDE_HOME": str(home.root)})


def one_sentence(text: str) -> bool:
    """One line that is no traceback and names a remedy after a semicolon."""
    lines = [line for line in text.strip().splitlines() if " WARNING " not in line]
    return len(lines) == 1 and lines[0].startswith("gridtide: ") and "; " in lines[0]


def cases(*groups: tuple[str, list[Case]]) -> list[object]:
    return [
        pytest.param(case, id=f"{group}-{case.name}".replace(" ", "-"))
        for group, all_of_it in groups
        for case in all_of_it
    ]


def judge(home: DataDirectory, case: Case, capfd: pytest.CaptureFixture[str]) -> None:
    """Damage the home; it must be noticed, named, never served, and healed or reported."""
    case.damage(home)
    with Asker(home, FixedClock(NOW)) as cold:
        assert set(answers(cold)) == {case.served}
    capfd.readouterr()
    assert gridtide(home, "check") == 1
    said = capfd.readouterr().out
    assert case.named in said
    assert all("; " in line for line in said.strip().splitlines())
    code = gridtide(home, "publish")
    printed = capfd.readouterr()
    if case.harmless and code == 0:
        return
    if not case.heals:
        assert code in (1, 2)
        assert one_sentence(printed.err), printed.err
        return
    assert code == 0, printed.err
    with Asker(home, FixedClock(NOW + 2 * HOUR)) as again:
        assert answers(again) == ["right"] * 3
    if case.named != ".gz":  # a body, which publishing does not bring back
        left = gridtide(home, "check")
        assert left == 0, capfd.readouterr().out
