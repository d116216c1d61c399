"""Whether settings let a source be used, where its hosts are, and its credentials. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from gridtide_pipelines.errors import SourceChanged
from gridtide_pipelines.ingest.source import Request, Source
from gridtide_store.settings import Settings


def reason_to_skip(source: Source, settings: Settings) -> str | None:
    """Return why `source` is not used under these settings, with the remedy.

    None if it is used.
    """
    moved = source.only_own_hosts and base_name(source, "") in settings.base_urls
    if source.restricted and not (settings.allow_restricted or moved):
        return "its licence restricts use: set GRIDTIDE_ALLOW_RESTRICTED=1 if yours allows it"
    if source.answer:
        return None
    needed = source.credentials
    if needed and not needed.optional:
        missing = [name for name in needed.variables if not settings.secrets.get(name)]
        if missing:
            are = "is" if len(missing) == 1 else "are"
            return f"{' and '.join(missing)} {are} not set: {needed.remedy} {needed.obtain}"
    for name, value in secrets_of(source, settings).items():
        if not (value.isascii() and value.isprintable()):
            return f"{name} has a character that no request can carry: write it in plain ASCII"
    unmoved = [
        setting_of(source, host)
        for host in ("", *source.hosts)
        if base_name(source, host) not in settings.base_urls
    ]
    if settings.now and unmoved:
        # Today's revised numbers would be stored as if they had been known then.
        point = "points" if len(unmoved) == 1 else "point"
        return (
            f"now is {settings.now:%Y-%m-%dT%H:%MZ}: publishers receive no requests at "
            f"another time unless {' and '.join(unmoved)} {point} to a replay server"
        )
    return None


def base_name(source: Source, host: str) -> str:
    """Return the name under which `Settings.base_urls` has another base URL of a host."""
    return f"{source.name}_{host}" if host else source.name


def setting_of(source: Source, host: str) -> str:
    """Return the name of the setting that moves a host of a source."""
    return f"GRIDTIDE_{base_name(source, host).upper()}_URL"


def unknown_urls(settings: Settings, sources: Iterable[Source]) -> list[str]:
    """Return a remark for each setting of a base URL that no source has, with the nearest."""
    known = {
        base_name(source, host): setting_of(source, host)
        for source in sources
        for host in ("", *source.hosts)
    }
    remarks = []
    for name in sorted(settings.base_urls.keys() - known.keys()):
        near = get_close_matches(name, known, n=1)
        hint = f"; did you mean {known[near[0]]}?" if near else ""
        remarks.append(f"unknown setting GRIDTIDE_{name.upper()}_URL{hint}")
    return remarks


def url_of(source: Source, request: Request, settings: Settings) -> str:
    """Return the URL of a request without its query.

    Raises:
        SourceChanged: the path, which may come from a listing, has no slash first: behind the
            name of the host it would make another host of it.
    """
    if not request.path.startswith("/"):
        raise SourceChanged(source.name, f"the path {request.path[:60]!r} has no slash first")
    return base_url_of(source, request.host, settings).rstrip("/") + request.path


def base_url_of(source: Source, host: str, settings: Settings | None = None) -> str:
    """Return the base URL of a host of a source: its own, or where settings move it."""
    own = source.hosts[host] if host else source.base_url
    return settings.base_urls.get(base_name(source, host), own) if settings else own


def secrets_of(source: Source, settings: Settings) -> dict[str, str]:
    """Return the values of the variables of a source's credentials that are set, by name."""
    names = source.credentials.variables if source.credentials else ()
    return {name: settings.secrets[name] for name in names if settings.secrets.get(name)}
