"""The script ``gridtide``: runs a subcommand and turns errors into messages and exit codes."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence

from gridtide.cli.streams import give_up_unwritten, keep_for_results, tolerate
from gridtide.errors import GridtideError, MissingExtra, SystemFault
from gridtide.extras import how_to_install

# A shell asks for completions by this variable; the words are in others (see Typer).
COMPLETE = "_GRIDTIDE_COMPLETE"


def main(argv: Sequence[str] | None = None, environ: Mapping[str, str] | None = None) -> int:
    """Run one subcommand; the exit code.

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
        give_up_unwritten()  # whoever read the output has what it wanted
        return 1
    except OSError as error:
        # The machine's own word, no bug of ours: a full disk, a folder that is not to be read.
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
