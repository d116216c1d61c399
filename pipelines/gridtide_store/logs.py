"""Log lines for people or for containers; configured only by a command's `main`."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import TextIO

from gridtide_store.settings import Settings

# What every record carries anyway; the rest came in through `extra=` and is the event's own.
_PLAIN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}

log = logging.getLogger(__name__)


class OneLine(logging.Formatter):
    """One line an event: time, level, logger, message, then its fields as ``name=value``."""

    def format(self, record: logging.LogRecord) -> str:
        """The line; a traceback, where there is one, follows below it."""
        fields = " ".join(f"{name}={value}" for name, value in _fields(record).items())
        line = f"{_moment(record)} {record.levelname} {record.name}: {record.getMessage()}"
        trace = "\n" + self.formatException(record.exc_info) if record.exc_info else ""
        return f"{line} {fields}".rstrip() + trace


class OneObject(logging.Formatter):
    """One JSON object a line, for containers."""

    def format(self, record: logging.LogRecord) -> str:
        """The object, as text without line breaks."""
        event = {
            "time": _moment(record),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **_fields(record),
        }
        if record.exc_info:
            event["traceback"] = self.formatException(record.exc_info)
        return json.dumps(event, default=str, ensure_ascii=False)


def configure(settings: Settings, stream: TextIO) -> None:
    """Send our log lines to `stream` as `settings` has it, and say which settings are odd."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(OneObject() if settings.log_json else OneLine())
    logging.basicConfig(level=settings.log_level, handlers=[handler], force=True)
    # One line per request of the HTTP library repeats our own line per retrieval, and it
    # would show a key that is sent as a query parameter.
    for name in ("httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.WARNING)
    for remark in settings.unknown:
        log.warning(remark)


def _moment(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")


def _fields(record: logging.LogRecord) -> dict[str, object]:
    return {name: value for name, value in vars(record).items() if name not in _PLAIN}
