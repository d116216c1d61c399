"""The script ``gridtide``: runs a subcommand and turns errors into messages and exit codes.

Before, it prepares the standard streams: output is for results alone, and text is written as
the encoding of a terminal allows.
"""

from __future__ import annotations

import codecs
import json
import os
import sys
import unicodedata
from collections.abc import Mapping, Sequence
from io import UnsupportedOperation
from typing import TextIO

from gridtide.errors import GridtideError, MissingExtra, SystemFault
from gridtide.extras import how_to_install

# A shell asks for completions by this variable; the words are in others (see Typer).
COMPLETE = "_GRIDTIDE_COMPLETE"


def main(argv: Sequence[str] | None = None, environ: Mapping[str, str] | None = None) -> int:
    """Run one subcommand and return its exit code.

    0 done, 1 failed, 2 bad input, 3 done but some sources failed, 4 another refresh runs,
    5 the latest value is older than accepted.
    What went wrong is one line on standard error; with ``--json`` an object with the members
    of a REST problem: `code`, `detail`, and what the kind has besides, such as `nearest` or
    `errors`. Without `argv` the words, and the standard output, are those of the process.
    """
    if argv is None:
        keep_for_results()
    words = list(sys.argv[1:] if argv is None else argv)
    known = os.environ if environ is None else environ
    for stream in (sys.stdout, sys.stderr):
        tolerate(stream)
    try:
        code = _run(words, known)
        sys.stdout.flush()
    except GridtideError as error:
        return _report(error, words)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        give_up_unwritten()  # its reader has closed it, as `head` does
        return 1
    except OSError as error:
        # A fault of the machine, not a bug: a full disk, or a folder that may not be read.
        fault = SystemFault(f"{error}; look at the disk, the folder and its owner")
        give_up_unwritten()
        return _report(fault, words)
    return code


def _run(words: list[str], environ: Mapping[str, str]) -> int:
    try:
        import typer  # noqa: F401  # to tell a missing extra from a fault of our own
    except ImportError as error:
        raise MissingExtra(
            f"the command line needs Typer ({how_to_install('cli')}); the Python package works "
            "without it"
        ) from error
    from gridtide.cli import app

    if environ.get(COMPLETE):
        return app.complete(environ)
    return app.run(words, environ)


def _report(error: GridtideError, words: Sequence[str]) -> int:
    """Write an error to standard error, as JSON where the words want it; its exit code."""
    if "--json" in words:
        sys.stderr.write(json.dumps(error.to_json(), default=str) + "\n")
    else:
        sys.stderr.write(f"gridtide: {error}\n")
    return error.exit_code


STDIN, STDOUT, STDERR = range(3)


def keep_for_results() -> None:
    """Let `sys.stdout` alone write to standard output, and all else to standard error.

    It holds until the process ends: what C keeps in a buffer is written only then. Streams that
    were closed before the process began take what is written and keep nothing of it; standard
    input is empty then.
    """
    _occupy_closed()
    out = sys.stdout
    try:
        if out.fileno() != STDOUT:
            return  # of a test or a notebook: no library writes there
    except UnsupportedOperation:
        return
    out.flush()
    kept = os.dup(STDOUT)
    os.dup2(STDERR, STDOUT)
    # For good, so that nothing is left to be closed, as with Python's own.
    sys.stdout = open(  # noqa: SIM115
        kept, "w", encoding=out.encoding, errors=out.errors, closefd=False
    )
    if out.line_buffering or getattr(out, "write_through", False):
        getattr(sys.stdout, "reconfigure")(line_buffering=True)  # noqa: B009  # no TextIO's


def _occupy_closed() -> None:
    """Give standard streams that are closed to the null device.

    Else the next file that is opened takes the place of one, and gets what is meant for it.
    """
    while (spare := os.open(os.devnull, os.O_RDWR)) <= STDERR:
        pass
    os.close(spare)
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            null = open(os.devnull, mode, encoding="utf-8")  # noqa: PTH123, SIM115
            setattr(sys, name, null)


def give_up_unwritten() -> None:
    """Drop what standard output does not take, so that Python, which tries again, is quiet."""
    try:
        sys.stdout.flush()
    except OSError:
        # docs.python.org/3/library/signal.html#note-on-sigpipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


HANDLER = "gridtide.plain"
# Nearest characters of ASCII for those of our own sentences and pictures.
NEAREST = {
    **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-"),
    **dict.fromkeys("\u2018\u2019\u02bc", "'"),
    **dict.fromkeys("\u201c\u201d", '"'),
    **dict.fromkeys("\u2581\u2582", "_"),
    **dict.fromkeys("\u2583\u2584", "-"),
    **dict.fromkeys("\u2585\u2586", "="),
    **dict.fromkeys("\u2587\u2588\u2593\u25a0", "#"),
    **dict.fromkeys("\u2500\u2501", "-"),
    **dict.fromkeys("\u2502\u2503", "|"),
    "\u2026": "...",
    "\u00b7": ".",
    "\u2022": "*",
    "\u00d7": "x",
    "\u2192": "->",
    "\u2190": "<-",
    "\u2264": "<=",
    "\u2265": ">=",
    "\u00b1": "+/-",
    "\u00b5": "u",
    "\u03bc": "u",
    "\u00df": "ss",
    "\u00f8": "o",
    "\u00d8": "O",
    "\u0142": "l",
    "\u0141": "L",
    "\u2591": ".",
    "\u2592": ":",
}


def simplify(error: UnicodeError) -> tuple[str | bytes, int]:
    """Return the nearest ASCII of what cannot be written, escaped where nothing is near."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    found = error.object[error.start : error.end]
    return "".join(map(_nearest, found)), error.end


def _nearest(character: str) -> str:
    if character in NEAREST:
        return NEAREST[character]
    plain = unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode()
    return plain or character.encode("ascii", "backslashreplace").decode()


def tolerate(stream: TextIO) -> None:
    """Write to `stream` what its encoding has, and the nearest of what it has not."""
    codecs.register_error(HANDLER, simplify)
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None:  # a stream of a test or a notebook may be of another kind
        reconfigure(errors=HANDLER)
