"""What both clients keep, and how they read what comes back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeVar

from gridtide.calls import Call
from gridtide.errors import ApiError, BadInput, ServiceUnavailable
from gridtide.http.body import ENCODING, Body
from gridtide.http.destination import Destination
from gridtide.http.retry import Patience
from gridtide.plugins import own_version
from gridtide.schema.problems import understood
from gridtide.values import read_number, read_whole

if TYPE_CHECKING:
    import httpx

T = TypeVar("T")
# Seconds; a wait of more does not fit every platform (`threading.TIMEOUT_MAX`).
LONGEST = 30 * 86_400.0


class Asker:
    """What both clients keep: whom they ask, how patiently, and how answers are read."""

    def __init__(
        self,
        destination: Destination,
        *,
        timeout: float,
        retries: int,
        clock: Callable[[], float],
        environ: Mapping[str, str],
    ) -> None:
        timeout = read_number(timeout, "timeout", "a number of seconds such as 30")
        retries = read_whole(retries, "retries")
        if not timeout > 0 or retries < 0:
            raise BadInput(
                f"timeout is {timeout} and retries {retries}; give seconds above 0 and a "
                "count of at least 0"
            )
        self.destination = destination
        self._timeout = min(timeout, LONGEST)
        # What this process cannot answer now it cannot answer in a second either.
        self._retries = retries if destination.url else 0
        self._clock = clock
        self._environ = environ

    def base_url(self) -> httpx.URL:
        """The address below which everything is asked for.

        Raises:
            BadInput: it is none that requests can be sent to.
        """
        import httpx

        try:
            return httpx.URL(self.destination.address)
        except httpx.InvalidURL as error:
            raise BadInput(
                f"the service's address (GRIDTIDE_URL) is not valid ({error}); write it like "
                "http://host.example:8000"
            ) from error

    def patience(self) -> Patience:
        """The tries of one call."""
        from random import random  # by now httpx has it; before, it slows the import

        return Patience(self._retries, self._timeout, self._clock, random)

    def headers(self) -> dict[str, str]:
        """What goes with every request."""
        own = {
            "User-Agent": f"gridtide/{own_version()}",
            "Accept": "application/json",
            "Accept-Encoding": ENCODING,
        }
        key = self.destination.api_key
        return own | ({"Authorization": f"Bearer {key}"} if key else {})

    def headers_of(self, call: Call[T]) -> dict[str, str]:
        """What goes with this one call."""
        return {} if call.body is None else {"Content-Type": "application/json"}

    def body(self, answer: httpx.Response, patience: Patience) -> Body:
        """What collects the body of `answer` while `patience` lasts."""
        return Body(answer.headers, lambda: patience.left, asked=self._asked(answer))

    def read(self, call: Call[T], answer: httpx.Response, body: bytes) -> T:
        """The answer to `call`, or the error it means."""
        asked = self._asked(answer)
        said = understood(answer.status_code, answer.headers, body, asked=asked)
        try:
            return call.read(said)
        except BadInput as error:
            raise ApiError(f"{asked} answered what is not understood: {error}") from error

    def _asked(self, answer: httpx.Response) -> str:
        from gridtide.http.proxies import without_secrets

        if self.destination.url is None:
            return "this machine's home"
        return without_secrets(str(answer.url))

    def no_answer(self, error: Exception) -> ServiceUnavailable:
        """What it means that a request came back without any."""
        from gridtide.http.proxies import without_secrets
        from gridtide.http.transport import proxy_of

        address, way = without_secrets(self.destination.address), ""
        if self.destination.url and (proxy := proxy_of(address, self._environ)):
            way = f" through the proxy {without_secrets(proxy)}"
        remedy = "is it running, and is GRIDTIDE_URL right?"
        if way:
            remedy += " hosts that are reached without the proxy go into NO_PROXY"
        if "CERTIFICATE_VERIFY_FAILED" in str(error):
            remedy = (
                "name the certificates it is to be trusted by in SSL_CERT_FILE, e.g. those of "
                "your company"
            )
        return ServiceUnavailable(
            f"{address} did not answer{way} ({error or type(error).__name__}); {remedy}"
        )
