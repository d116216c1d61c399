"""``gridtide serve`` as a process: its start, its responses and its end."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from gridtide.errors import BadInput
from gridtide_server.commands import listen
from gridtide_store.data_directory import DataDirectory
from tests.server.published import HOUR, NOW, Publisher, observed, run

pytestmark = pytest.mark.slow
URL = "/v1/best-window?region=DE&hours=2"


@contextmanager
def serving(
    home: Path, *words: str, **environ: str
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The process and its address, once it says it is ready."""
    command = [sys.executable, "-W", "error", "-m", "gridtide", "serve", "--port", "0"]
    own = {name: value for name, value in os.environ.items() if "GRIDTIDE" not in name}
    process = subprocess.Popen(
        [*command, "--home", str(home), "--now", "2026-03-02T12:00Z", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=own | environ,
    )
    try:
        assert process.stderr is not None
        said = []
        for line in process.stderr:
            said.append(line)
            if found := re.fullmatch(r"gridtide serves (http://127\.0\.0\.1:\d+)\n", line):
                yield process, found[1]
                break
        else:
            pytest.fail("".join(said))
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("workers", ["1", "2"])
def test_it_prints_its_address_and_ends_well_on_a_signal(
    home: DataDirectory, number: signal.Signals, workers: str
) -> None:
    with serving(home.root, "--workers", workers) as (process, address):
        assert httpx.get(address + URL, timeout=60).json()["mean"] == 125.0
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert out == ""
    assert "Traceback" not in err


def test_in_json_the_address_is_the_one_document_on_standard_output(
    home: DataDirectory,
) -> None:
    with serving(home.root, "--json") as (process, address):
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=60)
    assert json.loads(out) == {"url": address}


def test_a_port_in_use_is_an_error_that_names_the_remedy(home: DataDirectory) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = subprocess.run(
            [sys.executable, "-m", "gridtide", "serve", "--port", str(port)],
            capture_output=True,
            text=True,
            env={**os.environ, "GRIDTIDE_HOME": str(home.root)},
            check=False,
            timeout=60,
        )
    assert ended.returncode == 1
    assert f"port {port}" in ended.stderr
    assert "--port" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("words", [["--port", "70000"], ["--port", "x"], ["--workers", "0"]])
def test_options_that_cannot_be_are_bad_input(home: DataDirectory, words: list[str]) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "gridtide", "serve", *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ended.returncode == 2
    assert words[1] in ended.stderr


@pytest.mark.parametrize("host", ["a b", "192.0.2.1", f"{'x' * 70}.example", ""])
def test_a_host_that_is_not_of_this_machine_is_named(host: str) -> None:
    with pytest.raises(BadInput, match=r"give one such as 127\.0\.0\.1") as refused:
        listen(host, 0)
    assert str(refused.value).startswith(f"--host: {host!r} is not an address")


def test_10_000_zones_are_a_problem_for_the_real_server_too(home: DataDirectory) -> None:
    regions = ",".join(f"Z{k}" for k in range(10_000))
    with serving(home.root) as (_, address):
        answer = httpx.get(f"{address}/v1/best-region?region={regions}&hours=1", timeout=60)
        assert (answer.status_code, answer.json()["code"]) == (422, "too_many_regions")
        assert httpx.get(address + URL, timeout=60).status_code == 200


def test_head_has_no_body_and_the_connection_goes_on(home: DataDirectory) -> None:
    with serving(home.root) as (_, address), httpx.Client(base_url=address) as client:
        head = client.head(URL, timeout=60)
        get = client.get(URL, timeout=60)
    assert (head.content, head.headers["content-length"]) == (b"", str(len(get.content)))


def test_it_follows_what_is_published_while_it_runs(publisher: Publisher) -> None:
    with serving(publisher.home.root) as (_, address):
        assert httpx.get(address + URL, timeout=60).status_code == 503
        assert httpx.get(address + "/healthz", timeout=60).status_code == 200
        publisher.add(observed("DE", [1.0], start=NOW - HOUR), run("DE", [7.0] * 24))
        publisher.publish()
        assert httpx.get(address + URL, timeout=60).json()["mean"] == 7.0


def test_a_request_is_one_json_object_on_standard_error(home: DataDirectory) -> None:
    environ = {
        "GRIDTIDE_LOG_JSON": "1",
        "GRIDTIDE_LOG_LEVEL": "INFO",
    }
    with serving(home.root, **environ) as (process, address):
        httpx.get(address + URL, timeout=60)
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=60)
    lines = [json.loads(line) for line in err.splitlines() if line.startswith("{")]
    (line,) = [each for each in lines if each["logger"] == "gridtide_server.access"]
    assert (line["method"], line["path"], line["status"]) == ("GET", "/v1/best-window", 200)


def test_an_odd_setting_is_remarked_on_once(home: DataDirectory) -> None:
    command = [sys.executable, "-m", "gridtide", "serve", "--port", "0"]
    process = subprocess.Popen(
        command,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "GRIDTIDE_HOME": str(home.root), "GRIDTIDE_HOEM": "x"},
    )
    assert process.stderr is not None
    said = []
    for line in process.stderr:
        said.append(line)
        if line.startswith("gridtide serves"):
            break
    process.send_signal(signal.SIGTERM)
    _, rest = process.communicate(timeout=60)
    assert ("".join(said) + rest).count("did you mean GRIDTIDE_HOME?") == 1


def test_it_ends_within_seconds_while_costly_plans_run(home: DataDirectory) -> None:
    job = {
        "hours": 24 + 1 / 60,
        "kind": "segments",
        "min_segment": 1 + 1 / 60,
        "restart_cost": {"kwh": 1, "hours": 1 / 60},
    }
    with serving(home.root) as (process, address):
        url = httpx.URL(address)
        body = json.dumps({"job": job, "region": "DE"}).encode()
        head = f"POST /v1/plan HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
        asking = [socket.create_connection((url.host, url.port or 80)) for _ in range(6)]
        for one in asking:
            one.sendall(head.encode() + body)
        # Who asks for what is quick is answered beside them.
        assert httpx.get(address + URL, timeout=60).json()["mean"] == 125.0
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=15)
        for one in asking:
            one.close()
    assert process.returncode == 0, err


WRONG = (
    "GRIDTIDE_MAX_BODY_BYTES=x",
    "GRIDTIDE_HEADER_SECONDS=0",
    "GRIDTIDE_WRITE_SECONDS=nan",
    "GRIDTIDE_MAX_CONNECTIONS=-1",
    "GRIDTIDE_ALLOWED_HOSTS=https://a.example",
)


@pytest.mark.parametrize("setting", WRONG)
def test_a_limit_that_cannot_be_is_bad_input(tmp_path: Path, setting: str) -> None:
    name, _, value = setting.partition("=")
    ended = subprocess.run(
        [sys.executable, "-m", "gridtide", "serve", "--port", "0", "--home", str(tmp_path)],
        env={**os.environ, name: value},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ended.returncode == 2, ended.stderr
    assert name in ended.stderr
