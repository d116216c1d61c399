"""Bodies that are too large for the memory: in a file from their arrival to their archive."""

from __future__ import annotations

import gzip
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from gridtide_pipelines.errors import SourceChanged
from gridtide_pipelines.ingest.fetch import Fetcher
from gridtide_pipelines.ingest.large import write_large
from gridtide_pipelines.ingest.limits import DEFAULT
from gridtide_pipelines.ingest.source import Body, Credentials, Header, Request
from gridtide_pipelines.ingest.sources import eia_bulk
from gridtide_store.data_directory import DataDirectory, writer_lock
from gridtide_store.settings import Settings
from gridtide_store.store import Store

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
ASK = Request("GET", "/file.csv")
LINE = b"one line of a file of months\n"
Fetch = Callable[[httpx.Response], Fetcher]


class Lines(httpx.SyncByteStream):
    """A body of some MB, made while it is sent."""

    def __init__(self, megabytes: int) -> None:
        self.megabytes = megabytes

    def __iter__(self) -> Iterator[bytes]:
        for _ in range(self.megabytes * 16):
            yield LINE * (2**16 // len(LINE))


@pytest.fixture
def fetcher(tmp_path: Path) -> Iterator[Fetch]:
    opened: list[Fetcher] = []

    def open_one(response: httpx.Response) -> Fetcher:
        opened.append(
            Fetcher(
                Settings(home=tmp_path, secrets={"KEY": "s3cret-0123456789abcdef"}),
                transport=httpx.MockTransport(lambda _: response),
                limits=replace(DEFAULT, body=64 * 2**20),
            )
        )
        return opened[-1]

    yield open_one
    for each in opened:
        each.__exit__(None, None, None)


def open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def test_a_large_body_goes_from_publisher_to_archive_in_little_memory(
    fetcher: Fetch, tmp_path: Path
) -> None:
    home = DataDirectory(tmp_path)
    with writer_lock(home, "test", NOW), Store.open(home) as store:
        before = open_files(), sorted(path.name for path in tmp_path.iterdir())
        fetch = fetcher(httpx.Response(200, stream=Lines(24)))
        tracemalloc.start()
        try:
            response = fetch(eia_bulk.SOURCE, ASK)
            assert response.large is not None
            body = Body(ASK, response.content, NOW, 0, large=response.large)
            kept = store.keep("eia_bulk", ASK.address, body.open(), NOW)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert response.content == b""
        assert response.size == body.size > 20e6
        assert peak < 6e6
        # Neither a file with a name, which a kill would leave there, nor an open one.
        names = sorted(path.name for path in tmp_path.iterdir() if path.name != "raw")
        assert names == [name for name in before[1] if name != "raw"]
        response.large.close()
        assert open_files() <= before[0]
        assert store.body(kept) == b"".join(Lines(24))


def test_a_body_in_a_file_is_archived_as_the_same_one_in_memory(tmp_path: Path) -> None:
    home = DataDirectory(tmp_path)
    content = b"".join(Lines(2))
    with writer_lock(home, "test", NOW), Store.open(home) as store:
        large = write_large(Lines(2), tmp_path)
        store.keep("a", "/first", b"", NOW)
        large.stream.seek(0)
        numbers = [store.keep("a", "/x", each, NOW) for each in (large.stream, content)]
        large.close()
        assert store.body(numbers[0]) == store.body(numbers[1]) == content
        rows = store.connection.execute(
            "SELECT body_sha256, body_bytes FROM retrieval WHERE id > 1"
        ).fetchall()
    assert rows[0] == rows[1]
    assert rows[0][1] == len(content)
    files = [path for path in home.raw.rglob("*.gz") if gzip.decompress(path.read_bytes())]
    assert len(files) == 1


def test_a_source_with_credentials_has_its_bodies_searched_for_them(fetcher: Fetch) -> None:
    keyed = replace(
        eia_bulk.SOURCE, credentials=Credentials(("KEY",), "example.org", Header("X-Key"))
    )
    said = b"your key is s3cret-0123456789abcdef\n"
    response = fetcher(httpx.Response(200, content=said))(keyed, ASK)
    assert response.large is None
    assert response.content == b"your key is <KEY>\n"


def test_one_that_is_too_large_leaves_nothing(fetcher: Fetch) -> None:
    before = open_files()
    fetch = fetcher(httpx.Response(200, stream=Lines(65)))
    with pytest.raises(SourceChanged, match="more than"):
        fetch(eia_bulk.SOURCE, ASK)
    assert open_files() == before


def test_without_a_data_directory_the_file_is_in_the_folder_of_the_system(
    tmp_path: Path,
) -> None:
    large = write_large([b"one", b"two"], tmp_path / "missing")
    large.stream.seek(0)
    assert (large.stream.read(), large.size) == (b"onetwo", 6)
    large.close()
