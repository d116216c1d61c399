"""``gridtide replay`` as a process: settings, recorded bodies, faults, counts, the archive."""

from __future__ import annotations

import json
import time
from pathlib import Path

import httpx
import pytest

from tests.replay.serving import NOW, replaying, run

# Each is a real process.
pytestmark = pytest.mark.slow

UK = "/uk_carbon_intensity/intensity/2026-03-02T00:00Z/2026-03-02T02:00Z"
FI = "/entsoe/api?documentType=A75&processType=A16&in_Domain=10YFI-1--------U"
FI += "&periodStart=202603010000&periodEnd=202603020000"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "uk.json").write_text('{"data": []}')
    (tmp_path / "fi.xml").write_text("<Acknowledgement_MarketDocument/>")
    url = "https://web-api.tp.entsoe.eu" + FI.removeprefix("/entsoe")
    (tmp_path / "requests.csv").write_text(
        "method,url,file,status,content_type\n"
        f"GET,https://api.carbonintensity.org.uk{UK[20:]},uk.json,200,application/json\n"
        f"GET,{url},fi.xml,400,text/xml\n"
    )
    return tmp_path


def test_recorded_bodies_are_sent_and_counted(folder: Path) -> None:
    with replaying(folder) as server:
        assert server.environ["GRIDTIDE_ENTSOE_URL"] == f"{server.url}/entsoe"
        assert server.environ["GRIDTIDE_NOW"] == NOW
        assert server.environ["ENTSOE_API_TOKEN"]
        found = httpx.get(server.url + FI + "&securityToken=x")
        assert (found.status_code, found.headers["Content-Type"]) == (400, "text/xml")
        assert found.text == "<Acknowledgement_MarketDocument/>"
        assert "Gridtide-Simulated" not in found.headers
        other = httpx.get(server.url + FI.replace("202603020000", "202603030000"))
        assert other.status_code == 404
        assert "the nearest differs in periodEnd: GET https://web-api.tp" in other.text
        assert httpx.get(f"{server.url}/nothing/x").status_code == 404
        # A refresh reads as "nothing yet" what comes from a source that is not recorded.
        nothing = httpx.get(f"{server.url}/eia_bulk/other")
        assert (nothing.status_code, nothing.text[:7]) == (404, "no data")
        counts = server.counts()
        assert counts["entsoe"]["generation"] == {
            "requests": 2,
            "bytes": len(found.content) + len(other.content),
            "zones": {"FI": 2},
            "statuses": {"400": 1, "404": 1},
        }
    assert server.ended["sources"] == counts
    missing, _nothing = server.ended["missing"]
    assert (missing["source"], missing["method"]) == ("entsoe", "GET")
    assert missing["url"].startswith("/api?documentType=A75&processType=A16&in_Domain=10YFI-1")


def test_what_is_not_recorded_is_simulated_and_says_so(folder: Path) -> None:
    with replaying(folder, "--simulate") as server:
        recorded = httpx.get(server.url + UK)
        # A data directory takes simulated rows or real ones, so all are marked.
        assert recorded.headers["Gridtide-Simulated"] == "1"
        assert recorded.json() == {"data": []}
        simulated = httpx.get(server.url + UK.replace("T02:", "T03:"))
        assert simulated.headers["Gridtide-Simulated"] == "1"
        assert len(simulated.json()["data"]) == 7
        assert httpx.get(f"{server.url}/eia/v2/other").status_code == 404


def test_faults_change_while_it_runs() -> None:
    with replaying("--simulate", "--fault", "uk_carbon_intensity=429:7") as server:
        refused = httpx.get(server.url + UK)
        assert (refused.status_code, refused.headers["Retry-After"]) == (429, "7")
        server.set_faults("uk_carbon_intensity=cut", "entsoe:FI=no-data")
        with pytest.raises(httpx.RemoteProtocolError):
            httpx.get(server.url + UK)
        assert "No matching data found" in httpx.get(server.url + FI).text
        server.set_faults("uk_carbon_intensity=hang")
        with pytest.raises(httpx.ReadTimeout):
            httpx.get(server.url + UK, timeout=0.5)
        server.set_faults("uk_carbon_intensity=endless")
        with httpx.stream("GET", server.url + UK) as endless:
            parts = endless.iter_raw()
            assert sum(len(next(parts)) for _ in range(200)) > 1_000_000
        wrong = httpx.put(f"{server.url}/_replay/faults", json=["uk_carbon_intensity=burn"])
        assert (wrong.status_code, "unknown kind 'burn'" in wrong.text) == (400, True)
        server.set_faults()
        assert httpx.get(server.url + UK).status_code == 200
        began = time.monotonic()
    assert time.monotonic() - began < 20  # no connection keeps it from ending


def test_a_zone_without_data_leaves_the_others_of_a_request_theirs() -> None:
    path = "/eia/v2/electricity/rto/region-data/data/?start=2026-03-01T00&end=2026-03-01T01"
    path += "&facets[respondent][]=PJM&facets[respondent][]=CISO&facets[type][]=D"
    with replaying("--simulate", "--fault", "eia:US-MIDA-PJM=no-data") as server:
        rows = httpx.get(server.url + path).json()["response"]["data"]
        assert [row["respondent"] for row in rows] == ["CISO", "CISO"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "replay needs a FOLDER with recorded responses, or --simulate"),
        (["/nowhere"], "requests.csv cannot be read"),
        (["--simulate", "--fault", "eia"], "write it as SOURCE=KIND"),
        (["--simulate", "--port", "99999"], "must be 0 to 65535, not 99999"),
        (["--from-archive", "/nowhere"], "name a new FOLDER"),
        (["x", "--from-archive", "/nowhere"], "this folder holds no store"),
    ],
)
def test_words_that_cannot_be_used_are_refused(words: list[str], says: str) -> None:
    done = run(["replay", *words])
    assert done.returncode == 2
    assert says in done.stderr


def test_a_data_directory_is_replayed_from_its_archive(tmp_path: Path) -> None:
    first, second, folder = tmp_path / "first", tmp_path / "second", tmp_path / "folder"
    refresh = ["refresh", "--since", "2026-03-01T00:00Z", "--model", "naive", "--zone", "GB"]
    with replaying("--simulate") as server:
        done = run([*refresh, "--home", str(first)], **server.leading_to("uk_carbon_intensity"))
        assert done.returncode == 0, done.stderr
        counts = server.counts()
    done = run(["replay", str(folder), "--from-archive", str(first), "--json"])
    assert done.returncode == 0, done.stderr
    written = json.loads(done.stdout)
    assert written == {"requests": 3, "expired": 0, "refreshes": ["2026-03-02T12:07:00Z"]}
    with replaying(folder) as server:
        done = run(
            [*refresh, "--home", str(second)], **server.leading_to("uk_carbon_intensity")
        )
        assert done.returncode == 0, done.stderr
        assert server.counts() == counts
    # What was simulated is not taken for real when it is replayed.
    shown = [
        run(["now", "GB", "--json", "--home", str(home), "--now", NOW])
        for home in (first, second)
    ]
    assert shown[0].stdout == shown[1].stdout
    assert '"simulated": true' in shown[1].stdout
    again = run(["replay", str(folder), "--from-archive", str(first)])
    assert (again.returncode, "is there already" in again.stderr) == (2, True)
