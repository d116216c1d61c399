"""The state both clients share; it builds request headers and decodes responses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeVar

from gridtide.errors import ApiError, BadInput, ServiceUnavailable
from gridtide.http.body import ENCODING, Body
from gridtide.http.call import Call
from gridtide.http.destination import Destination
from gridtide.http.retry import Patience
from gridtide.plugins import own_version
from gridtide.values import read_number, read_whole

if TYPE_CHECKING:
    import httpx

T = TypeVar("T")
# Seconds; a wait of more does not fit every platform (`threading.TIMEOUT_MAX`).
LONGEST = 30 * 86_400.0
# Seconds that a chart may wait for its forecast.
CHART = 3.0


class Session:
    """Destination, time limit and retries of a client.

    Raises:
        BadInput: a time limit or a number of retries that cannot be.
    """

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
        """Return the address that the paths of calls are appended to.

        Raises:
            BadInput: not a valid URL.
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
        """Return the retry state of one call."""
        from random import random  # by now httpx has it; before, it slows the import

        return Patience(self._retries, self._timeout, self._clock, random)

    def patience_for_a_chart(self) -> Patience:
        """Return the retry state of what a notebook shows if it is there at once."""
        return Patience(0, min(self._timeout, CHART), self._clock, lambda: 0.0)

    def headers(self) -> dict[str, str]:
        """Return the headers of every request."""
        own = {
            "User-Agent": f"gridtide/{own_version()}",
            "Accept": "application/json",
            "Accept-Encoding": ENCODING,
        }
        key = self.destination.api_key
        return own | ({"Authorization": f"Bearer {key}"} if key else {})

    def headers_of(self, call: Call[T]) -> dict[str, str]:
        """Return the headers of one call."""
        return {} if call.body is None else {"Content-Type": "application/json"}

    def body(self, response: httpx.Response, patience: Patience) -> Body:
        """Return the collector of the response's body, for the time that is left."""
        return Body(response.headers, lambda: patience.left, address=self._address(response))

    def decode(self, call: Call[T], response: httpx.Response, body: bytes) -> T:
        """Decode the response to `call`, or raise the error it reports."""
        from gridtide.schema.problems import understood

        address = self._address(response)
        document = understood(response.status_code, response.headers, body, asked=address)
        try:
            return call.read(document)
        except BadInput as error:
            raise ApiError(f"{address} answered what is not understood: {error}") from error

    def _address(self, response: httpx.Response) -> str:
        from gridtide.http.proxies import without_secrets

        if self.destination.url is None:
            return "this machine's home"
        return without_secrets(str(response.url))

    def no_response(self, error: Exception) -> ServiceUnavailable:
        """Return the error for a request without a response, with its remedy."""
        from gridtide.http.proxies import without_secrets
        from gridtide.http.transport import proxy_of

        address, through = without_secrets(self.destination.address), ""
        if self.destination.url and (proxy := proxy_of(address, self._environ)):
            through = f" through the proxy {without_secrets(proxy)}"
        remedy = "is it running, and is GRIDTIDE_URL right?"
        if through:
            remedy += " hosts that are reached without the proxy go into NO_PROXY"
        if "CERTIFICATE_VERIFY_FAILED" in str(error):
            remedy = (
                "name the certificates it is to be trusted by in SSL_CERT_FILE, e.g. those of "
                "your company"
            )
        return ServiceUnavailable(
            f"{address} did not answer{through} ({error or type(error).__name__}); {remedy}"
        )
