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
    """One line for each event: time, level, logger, message, then its fields as ``name=value``.

    A traceback is indented, so that only events begin in the first column.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the line; a traceback follows below it, indented."""
        fields = " ".join(f"{name}={value}" for name, value in _fields(record).items())
        line = f"{_moment(record)} {record.levelname} {record.name}: {record.getMessage()}"
        trace = self.formatException(record.exc_info) if record.exc_info else ""
        below = "".join(f"\n    {escape_controls(each)}" for each in trace.splitlines())
        return escape_controls(f"{line} {fields}".rstrip()) + below


class OneObject(logging.Formatter):
    """One JSON object a line, for containers."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the object as text without line breaks."""
        event = {
            "time": _moment(record),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **_fields(record),
        }
        if record.exc_info:
            event["traceback"] = self.formatException(record.exc_info)
        return escape_controls(json.dumps(event, default=str, ensure_ascii=False))


def escape_controls(text: str) -> str:
    """Return `text` on one line, with control and other unprintable characters escaped.

    As JSON escapes them, so that JSON with them escaped is the same JSON.
    """
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else _escape(each) for each in text)


def _escape(character: str) -> str:
    code = ord(character)
    if code <= 0xFFFF:
        return f"\\u{code:04x}"
    high, low = divmod(code - 0x10000, 0x400)
    return f"\\u{0xD800 + high:04x}\\u{0xDC00 + low:04x}"


def configure(settings: Settings, stream: TextIO) -> None:
    """Send our log lines to `stream` as `settings` say, and warn of unknown settings."""
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
