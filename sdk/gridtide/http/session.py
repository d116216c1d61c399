"""The state both clients share; it builds request headers and decodes responses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from gridtide.errors import ApiError, BadInput, GridtideError, ServiceUnavailable
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
        """`environ` says what proxy the requests take."""
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
        from gridtide.http.proxies import AUTHENTICATION_REQUIRED, refusal
        from gridtide.schema.problems import understood

        address = self._address(response)
        if response.status_code == AUTHENTICATION_REQUIRED and self._proxy:
            raise refusal(self._proxy, response.url.host, response.status_code)
        document = understood(response.status_code, response.headers, body, asked=address)
        try:
            return call.read(document)
        except BadInput as error:
            raise ApiError(f"{address} answered what is not understood: {error}") from error

    @cached_property
    def _proxy(self) -> str:
        """The proxy that requests go through, without its password; empty without one."""
        from gridtide.http.proxies import without_secrets
        from gridtide.http.transport import proxy_of

        if self.destination.url is None:
            return ""
        return without_secrets(proxy_of(self.destination.address, self._environ) or "")

    @property
    def _through(self) -> str:
        return f" through the proxy {self._proxy}" if self._proxy else ""

    def _address(self, response: httpx.Response) -> str:
        from gridtide.http.proxies import without_secrets

        if self.destination.url is None:
            return "this machine's home"
        return without_secrets(str(response.url)) + self._through

    def no_response(self, error: Exception) -> GridtideError:
        """Return the error for a request without a response, with its remedy."""
        from gridtide.http.proxies import proxy_fault, proxy_status, refusal, without_secrets
        from gridtide.http.transport import proxy_faults

        address = without_secrets(self.destination.address)
        why = str(error) or type(error).__name__
        if self._proxy and isinstance(error, proxy_faults()):
            status = proxy_status(why)
            if 400 <= status < 500:  # client errors: it will say the same again
                return refusal(self._proxy, self.base_url().host, status)
            why = proxy_fault(self._proxy, why)
        remedy = "is it running, and is GRIDTIDE_URL right?"
        if self._proxy:
            remedy += " hosts that are reached without the proxy go into NO_PROXY"
        if "CERTIFICATE_VERIFY_FAILED" in why:
            remedy = (
                "name the certificates it is to be trusted by in SSL_CERT_FILE, e.g. those of "
                "your company"
            )
        return ServiceUnavailable(f"{address} did not answer{self._through} ({why}); {remedy}")
