"""Every name under infra/ means something: settings, keys, commands, metrics."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # its types are a package of their own

import gridtide_pipelines.ingest.sources
from gridtide_pipelines.ingest.discovery import find_sources
from gridtide_pipelines.ingest.source import Source
from gridtide_store.settings import BASE_URL, KNOWN, Settings

ROOT = Path(__file__).resolve().parents[2]
INFRA = ROOT / "infra"
FILES = sorted(path for path in INFRA.rglob("*") if path.is_file())
EXAMPLE = INFRA / "gridtide.env.example"
ASSIGNED = re.compile(r"^#?([A-Z][A-Z0-9_]*)=(.*)$", re.MULTILINE)


@pytest.fixture(scope="module")
def sources() -> dict[str, Source]:
    return dict(find_sources(gridtide_pipelines.ingest.sources))


def test_every_setting_named_under_infra_is_one(sources: dict[str, Source]) -> None:
    said = {
        (path.name, name)
        for path in FILES
        for name in re.findall(r"\bGRIDTIDE_[A-Z0-9_]+\b", path.read_text())
    }
    unknown = {
        (file, name)
        for file, name in said
        if name not in KNOWN
        and not ((moved := BASE_URL.fullmatch(name)) and moved[1].lower() in sources)
    }
    assert unknown == set()
    assert len(said) > 10


def test_the_example_names_every_setting_and_every_key(sources: dict[str, Source]) -> None:
    named = {name for name, _ in ASSIGNED.findall(EXAMPLE.read_text())}
    settings = {name for name in KNOWN if "<" not in name}
    keys = {
        variable
        for source in sources.values()
        if source.credentials
        for variable in source.credentials.variables
    }
    assert settings | keys <= named


def test_the_example_is_read_alike_by_compose_systemd_and_sh() -> None:
    for line in EXAMPLE.read_text().splitlines():
        if line and not line.startswith("# "):
            assigned = ASSIGNED.fullmatch(line)
            assert assigned, line
            assert shlex.split(assigned[2]) == ([assigned[2]] if assigned[2] else []), line


def test_the_example_as_it_is_gives_the_defaults() -> None:
    given = dict(re.findall(r"^([A-Z0-9_]+)=(.*)$", EXAMPLE.read_text(), re.MULTILINE))
    environ = {"GRIDTIDE_HOME": "home"}
    assert Settings.from_env(environ | given) == Settings.from_env(environ)


def test_the_values_it_suggests_can_be_read() -> None:
    given = dict(ASSIGNED.findall(EXAMPLE.read_text()))
    assert Settings.from_env(given).unknown == ()


def test_a_crontab_line_is_five_fields_and_a_command() -> None:
    lines = [
        line
        for line in (INFRA / "crontab").read_text().splitlines()
        if line and not line.startswith("#") and not re.match(r"[A-Z_]+=", line)
    ]
    (line,) = lines
    *fields, command = line.split(maxsplit=5)
    assert len(fields) == 5
    ranges = [(0, 59), (0, 23), (1, 31), (1, 12), (0, 7)]
    for field, (low, high) in zip(fields, ranges, strict=True):
        assert field == "*" or low <= int(field) <= high
    assert "%" not in command, "cron takes a percent sign for the end of the line"
    assert "gridtide refresh" in command


@pytest.fixture(scope="module")
def alerts() -> list[dict[str, Any]]:
    loaded = yaml.safe_load((INFRA / "prometheus" / "alerts.yaml").read_text())
    rules = [rule for group in loaded["groups"] for rule in group["rules"]]
    assert len(rules) > 3
    return rules


def test_every_alert_says_for_how_long_how_bad_and_what_to_do(
    alerts: list[dict[str, Any]],
) -> None:
    operations = (ROOT / "docs" / "operations.md").read_text()
    headings = {
        re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
        for heading in re.findall(r"^#+ (.+)$", operations, re.MULTILINE)
    }
    for alert in alerts:
        assert re.fullmatch(r"\d+[mh]", alert["for"])
        assert alert["labels"]["severity"] in ("page", "warn")
        page, _, heading = alert["annotations"]["action"].partition("#")
        assert page == "docs/operations.md"
        assert heading in headings, alert["alert"]
        assert f"`{alert['alert']}`" in operations


def test_alerts_are_on_age_and_on_metrics_the_server_has(alerts: list[dict[str, Any]]) -> None:
    metrics = (ROOT / "server/gridtide_server/routes/health.py").read_text()
    for alert in alerts:
        text = re.sub(r"\{[^}]*\}|\[\w+\]", "", alert["expr"])
        words = set(re.findall(r"[a-z_]{2,}", text))
        names = words - {"and", "on", "absent", "min_over_time", "up"}
        assert all(f'"{name}"' in metrics for name in names), names
        assert names or "up" in words
        assert text.count("(") == text.count(")")
