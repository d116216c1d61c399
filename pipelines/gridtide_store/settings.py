"""Every setting, read once from the environment by `main` and passed down."""

from __future__ import annotations

import difflib
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from gridtide.durations import number_or_text
from gridtide.errors import BadInput
from gridtide.model import parse_hours, parse_time
from gridtide_store.data_directory import DEFAULT_RESOURCES, Resources, default_home

# Names of secrets are the publishers' own, so they carry no prefix of ours.
SECRET = re.compile(r"[A-Z0-9_]+_(API_KEY|TOKEN|USERNAME|PASSWORD|CONTACT)")
FOREVER = "forever"
BASE_URL = re.compile(r"GRIDTIDE_([A-Z0-9_]+)_URL")
COUNT = re.compile(r"[0-9]{1,9}")
# A hundred years: what is kept that long is kept for ever, and no clock minus it is off the
# calendar.
MOST_DAYS = 36_500
MOST_WORKERS = 1_000
MOST_SECONDS = 86_400
# With less DuckDB cannot hold the row groups that one query reads.
LEAST_MEMORY_MB, MOST_MEMORY_MB = 64, 10_000_000


@dataclass(frozen=True)
class Settings:
    """Settings from the environment.

    Attributes:
        home: the data directory.
        now: another time to run at (replay); None is the real clock.
        base_urls: base URLs used instead of a source's own, by its name, or by name and host
            (``eia``, ``eia_files``).
        secrets: keys of publishers, and contacts, by their own variable's name.
        allow_restricted: also use sources whose licence restricts use.
        corrections: correct known systematic errors of publishers.
        weather: request forecasts of the weather.
        keep_raw: how long all raw bodies stay; None is for ever.
        keep_runs: how long forecast runs stay in full; None is for ever.
        max_age: how long ago the slot of a latest value may have ended by default.
        log_level: name of a level of `logging`.
        log_json: one JSON object a log line, for containers.
        workers: processes that fit models side by side.
        resources: memory and threads of DuckDB.
        request_time: for one request to a publisher, with all its tries.
        unknown: names that start like ours and mean nothing, each with a remark.
    """

    home: Path
    now: datetime | None = None
    base_urls: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    allow_restricted: bool = False
    corrections: bool = True
    weather: bool = True
    keep_raw: timedelta | None = timedelta(days=90)
    keep_runs: timedelta | None = timedelta(days=60)
    max_age: timedelta = timedelta(hours=6)
    log_level: str = "WARNING"
    log_json: bool = False
    workers: int = 2
    resources: Resources = DEFAULT_RESOURCES
    request_time: timedelta = timedelta(seconds=120)
    unknown: tuple[str, ...] = ()

    @classmethod
    def from_env(cls, environ: Mapping[str, str], *, platform: str = sys.platform) -> Settings:
        """Read the settings from `environ`; those that are not set have their defaults.

        Raises:
            BadInput: a value that cannot be read, with the name and what would be right.
        """
        base_urls = {
            match[1].lower(): value
            for name, value in environ.items()
            if (match := BASE_URL.fullmatch(name)) and value
        }
        home = environ.get("GRIDTIDE_HOME")
        now = environ.get("GRIDTIDE_NOW")
        return cls(
            home=Path(home).expanduser() if home else default_home(environ, platform),
            now=parse_time(now, name="GRIDTIDE_NOW") if now else None,
            base_urls=base_urls,
            secrets={k: v for k, v in environ.items() if SECRET.fullmatch(k) and v},
            allow_restricted=read_flag(environ, "GRIDTIDE_ALLOW_RESTRICTED"),
            corrections=read_flag(environ, "GRIDTIDE_CORRECTIONS", default=True),
            weather=read_flag(environ, "GRIDTIDE_WEATHER", default=True),
            keep_raw=_days(environ, "GRIDTIDE_KEEP_RAW_DAYS", cls.keep_raw),
            keep_runs=_days(environ, "GRIDTIDE_KEEP_RUN_DAYS", cls.keep_runs),
            max_age=_hours(environ, "GRIDTIDE_MAX_AGE_HOURS", cls.max_age),
            log_level=_level(environ),
            log_json=read_flag(environ, "GRIDTIDE_LOG_JSON"),
            workers=_count(environ, "GRIDTIDE_WORKERS", cls.workers, MOST_WORKERS),
            resources=Resources(
                memory_mb=_count(
                    environ,
                    "GRIDTIDE_MEMORY_MB",
                    cls.resources.memory_mb,
                    MOST_MEMORY_MB,
                    least=LEAST_MEMORY_MB,
                ),
                threads=_count(
                    environ, "GRIDTIDE_THREADS", cls.resources.threads, MOST_WORKERS
                ),
            ),
            request_time=_seconds(environ, "GRIDTIDE_REQUEST_SECONDS", cls.request_time),
            unknown=_unknown(environ),
        )


# GRIDTIDE_URL and the two about the key are the SDK's: which server a client uses, and how.
KNOWN = {
    "GRIDTIDE_HOME": "data directory; default: the platform's user data folder",
    "GRIDTIDE_NOW": "run at another time (replay), e.g. 2021-10-01T00:00Z",
    "GRIDTIDE_URL": "the server that the SDK and the command line use; unset: the data "
    "directory of this machine",
    "GRIDTIDE_API_KEY": "bearer token that goes with every request to GRIDTIDE_URL",
    "GRIDTIDE_KEY_OVER_HTTP": "1 sends that key over plain http to other machines; default 0",
    "GRIDTIDE_ALLOW_RESTRICTED": "1 also uses sources whose licence restricts use; default 0",
    "GRIDTIDE_CORRECTIONS": "0 stores values of publishers as published, with their known "
    "systematic errors; default 1",
    "GRIDTIDE_WEATHER": "0 lets a refresh request no weather forecasts, 18 MB each; default 1",
    "GRIDTIDE_KEEP_RAW_DAYS": "days all raw bodies are kept, or forever; after that the first "
    "of each day, and those that served values come from; default 90",
    "GRIDTIDE_KEEP_RUN_DAYS": "days forecast runs are kept in full, or forever; default 60",
    "GRIDTIDE_MAX_AGE_HOURS": "hours since its slot ended up to which a latest value is "
    "answered by default; default 6",
    "GRIDTIDE_LOG_LEVEL": "DEBUG, INFO, WARNING or ERROR; default WARNING",
    "GRIDTIDE_LOG_JSON": "1 logs one JSON object a line; default 0",
    "GRIDTIDE_WORKERS": "processes that fit models side by side; default 2",
    "GRIDTIDE_MEMORY_MB": "memory of the database that a command or a server process has open; "
    "default 512, at least 64",
    "GRIDTIDE_THREADS": "threads of the store's queries; default 2",
    "GRIDTIDE_REQUEST_SECONDS": "time for one request to a publisher, with all its tries; "
    "default 120",
    "GRIDTIDE_ALLOWED_HOSTS": "host names the server answers to, comma separated; * is any; "
    "default: loopback names where it serves on loopback, otherwise any",
    "GRIDTIDE_CORS": "1 lets web pages of other hosts use the server; default: 0 on loopback, "
    "otherwise 1",
    "GRIDTIDE_MAX_HEADER_BYTES": "request line and headers; default 65536",
    "GRIDTIDE_HEADER_SECONDS": "time a client has to send them; default 10",
    "GRIDTIDE_MAX_BODY_BYTES": "body of a request; default 1000000",
    "GRIDTIDE_MAX_ROWS_BYTES": "body of a footprint request; default 8000000",
    "GRIDTIDE_BODY_SECONDS": "time a client has to send a body; default 30",
    "GRIDTIDE_WRITE_SECONDS": "time a client has to take each 64 kB of a response; default 30",
    "GRIDTIDE_IDLE_SECONDS": "time a connection stays open between requests; default 30",
    "GRIDTIDE_MAX_CONNECTIONS": "connections of each server process; default 1000, fewer where "
    "the descriptor limit is low",
    "GRIDTIDE_MAX_BUFFER_BYTES": "bodies being received, and again responses not yet taken, in "
    "memory; default 64000000",
    "GRIDTIDE_<SOURCE>_URL": "base URL of one source, e.g. GRIDTIDE_EIA_URL for a replay",
    "GRIDTIDE_<SOURCE>_<HOST>_URL": "base URL of another host of a source that has several",
}


def _unknown(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return a remark for each unknown name that starts with GRIDTIDE_.

    Container platforms add such names by themselves (``GRIDTIDE_PORT=tcp://…``), so this
    is never an error.
    """
    remarks = []
    for name in sorted(environ):
        if not name.startswith("GRIDTIDE_") or name in KNOWN or BASE_URL.fullmatch(name):
            continue
        near = difflib.get_close_matches(name, KNOWN, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        remarks.append(f"unknown setting {name}{hint}")
    return tuple(remarks)


def read_flag(environ: Mapping[str, str], name: str, *, default: bool = False) -> bool:
    """Say whether a setting is on; `default` where it is not set.

    Raises:
        BadInput: it is neither on nor off.
    """
    text = environ.get(name, "").strip().lower()
    if not text:
        return default
    if text in ("0", "false", "no", "off"):
        return False
    if text in ("1", "true", "yes", "on"):
        return True
    raise BadInput(f"{name}={text!r} is neither 1 nor 0")


def _count(
    environ: Mapping[str, str], name: str, default: int, most: int, *, least: int = 1
) -> int:
    text = environ.get(name, "").strip()
    if not text:
        return default
    if not COUNT.fullmatch(text) or not least <= int(text) <= most:
        raise BadInput(f"{name}={text!r} is not a whole number from {least} to {most}")
    return int(text)


def _days(environ: Mapping[str, str], name: str, default: timedelta | None) -> timedelta | None:
    text = environ.get(name, "").strip()
    if text.lower() == FOREVER:
        return None
    return timedelta(days=_count(environ, name, 1, MOST_DAYS)) if text else default


def _seconds(environ: Mapping[str, str], name: str, default: timedelta) -> timedelta:
    text = environ.get(name, "").strip()
    return timedelta(seconds=_count(environ, name, 1, MOST_SECONDS)) if text else default


def _hours(environ: Mapping[str, str], name: str, default: timedelta) -> timedelta:
    text = environ.get(name, "").strip()
    if not text:
        return default
    return parse_hours(number_or_text(text), name=name)


def _level(environ: Mapping[str, str]) -> str:
    level = environ.get("GRIDTIDE_LOG_LEVEL", "").strip().upper() or "WARNING"
    if level not in ("DEBUG", "INFO", "WARNING", "ERROR"):
        raise BadInput(
            f"GRIDTIDE_LOG_LEVEL={level!r} is not one of DEBUG, INFO, WARNING, ERROR"
        )
    return level
