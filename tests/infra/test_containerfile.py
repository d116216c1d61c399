"""The container image, as far as it can be checked without a container engine."""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CONTAINERFILE = ROOT / "infra" / "Containerfile"
# https://docs.docker.com/reference/dockerfile/ lists these; anything else is a typing error.
INSTRUCTIONS = frozenset(
    [
        "ADD",
        "ARG",
        "CMD",
        "COPY",
        "ENTRYPOINT",
        "ENV",
        "EXPOSE",
        "FROM",
        "HEALTHCHECK",
        "LABEL",
        "ONBUILD",
        "RUN",
        "SHELL",
        "STOPSIGNAL",
        "USER",
        "VOLUME",
        "WORKDIR",
    ]
)


@dataclass(frozen=True)
class Instruction:
    word: str
    rest: str
    stage: int


def read(text: str) -> list[Instruction]:
    """The instructions of a Containerfile, continued lines joined, with their stage."""
    joined = re.sub(r"\\\n", " ", re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE))
    found, stage = [], -1
    for line in filter(None, map(str.strip, joined.splitlines())):
        word, _, rest = line.partition(" ")
        stage += word == "FROM"
        found.append(Instruction(word, rest.strip(), stage))
    return found


@pytest.fixture(scope="module")
def instructions() -> list[Instruction]:
    return read(CONTAINERFILE.read_text())


@pytest.fixture(scope="module")
def final(instructions: list[Instruction]) -> list[Instruction]:
    """What makes the image itself: the last stage."""
    return [each for each in instructions if each.stage == instructions[-1].stage]


def only(instructions: list[Instruction], word: str) -> str:
    """The one instruction of that word in a stage."""
    (found,) = [each.rest for each in instructions if each.word == word]
    return found


def test_every_line_begins_with_an_instruction(instructions: list[Instruction]) -> None:
    assert {each.word for each in instructions} <= INSTRUCTIONS


def test_every_stage_starts_from_one_named_tag(instructions: list[Instruction]) -> None:
    defaults = dict(each.rest.split("=", 1) for each in instructions if each.stage == -1)
    bases = [
        re.sub(r"\$\{(\w+)\}", lambda name: defaults[name[1]], each.rest).split(" AS ")[0]
        for each in instructions
        if each.word == "FROM"
    ]
    assert len(set(bases)) == 1
    repository, _, tag = bases[0].rpartition(":")
    assert repository.endswith("/python")
    assert re.fullmatch(r"3\.1[1-9]-slim-\w+", tag)


def test_the_process_is_not_root_and_its_id_is_fixed(final: list[Instruction]) -> None:
    user, _, group = only(final, "USER").partition(":")
    assert user.isdigit()
    assert int(user) >= 1000
    (made,) = [each.rest for each in final if "useradd" in each.rest]
    assert f"--uid {user} " in made
    assert f"--gid {group} " in made


def test_nothing_runs_after_the_user_is_changed(final: list[Instruction]) -> None:
    words = [each.word for each in final]
    assert "RUN" not in words[words.index("USER") :]


def copied(instructions: list[Instruction]) -> list[str]:
    """Every source of a COPY that comes from the repository."""
    return [
        source
        for each in instructions
        if each.word in ("COPY", "ADD") and "--from=" not in each.rest
        for source in shlex.split(each.rest)[:-1]
    ]


def test_everything_that_is_copied_is_in_the_repository(
    instructions: list[Instruction],
) -> None:
    assert [source for source in copied(instructions) if not (ROOT / source).exists()] == []
    assert copied(instructions) != []


def test_the_ignore_file_lets_through_all_that_is_copied(
    instructions: list[Instruction],
) -> None:
    ignore = (ROOT / "infra" / "Containerfile.dockerignore").read_text().split("\n")
    assert "*" in ignore
    kept = {line[1:] for line in ignore if line.startswith("!")}
    assert kept == set(copied(instructions))


def test_the_build_gets_all_that_the_packaging_names(
    instructions: list[Instruction],
) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    sources = copied(instructions)
    needed = [
        project["project"]["readme"],
        *project["project"]["license-files"],
        *project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"],
    ]
    missing = [
        each
        for each in needed
        if not any(fnmatch(each, source) or each.startswith(source + "/") for source in sources)
    ]
    assert missing == []


def test_both_distributions_are_installed_by_one_command(
    instructions: list[Instruction],
) -> None:
    commands = [each.rest for each in instructions if each.word == "RUN"]
    (built,) = [each for each in commands if "pip wheel" in each]
    assert built.endswith(" ./sdk .")
    (installed,) = [each for each in commands if "pip install" in each]
    assert installed.endswith(" /wheels/*.whl")


def test_the_entrypoint_is_the_script_of_the_sdk(final: list[Instruction]) -> None:
    scripts = tomllib.loads((ROOT / "sdk" / "pyproject.toml").read_text())["project"]["scripts"]
    (script,) = json.loads(only(final, "ENTRYPOINT"))
    assert script in scripts


def test_the_home_is_the_volume_and_belongs_to_the_user(final: list[Instruction]) -> None:
    (volume,) = json.loads(only(final, "VOLUME"))
    assert f"GRIDTIDE_HOME={volume} " in only(final, "ENV")
    owned = [each.rest for each in final if f"--mode=0750 {volume}" in each.rest]
    assert len(owned) == 1
    assert f"--owner={only(final, 'USER').partition(':')[0]} " in owned[0]


def test_the_health_check_is_python_and_asks_the_port_that_is_served(
    final: list[Instruction],
) -> None:
    options, _, command = only(final, "HEALTHCHECK").partition("CMD ")
    assert "--start-period=" in options
    program, flag, code = json.loads(command)
    assert (program, flag) == ("python", "-c")
    compile(code, "HEALTHCHECK", "exec")
    served = json.loads(only(final, "CMD"))
    port = served[served.index("--port") + 1]
    assert f"127.0.0.1:{port}/healthz" in code
    assert only(final, "EXPOSE") == port


def test_the_version_on_the_label_is_that_of_the_distribution(
    final: list[Instruction],
) -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert only(final, "ARG") == f"VERSION={version}"
    assert 'image.licenses="Apache-2.0"' in only(final, "LABEL")
