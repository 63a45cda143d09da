"""Where the parameters of an authorization request are: in the request, signed in an object, or pushed before."""

from dataclasses import dataclass
from enum import Enum, auto

from authcenter.authorization.pushed import PREFIX, PushedRequests
from authcenter.authorization.request_objects import RequestObjects, check_beside
from authcenter.core.client import Client
from authcenter.core.errors import ErrorCode, OAuthError, invalid_request
from authcenter.core.form import Form
from authcenter.core.rules import Rule
from authcenter.core.value import Value


class Way(Enum):
    """How a request came in: a column of the matrix of checks."""

    AUTHORIZE = auto()
    """To the authorization endpoint, through the browser."""
    PUSH = auto()
    """To the pushed authorization request endpoint, from the client itself."""
    PUSHED = auto()
    """To the authorization endpoint, as a reference to what was pushed."""


class Asked(Value, frozen=True):
    """The parameters that count, and no others.

    Attributes:
        signed: Whether they stood in a request object.
        pushed: Digest of the ``request_uri`` they were kept under.
        stale: Why they may not be used any more. They still say where to answer.
    """

    form: Form
    way: Way
    signed: bool = False
    pushed: bytes | None = None
    stale: OAuthError | None = None


@dataclass(frozen=True, slots=True)
class RequestReader:
    """Finds the parameters that count. What stands beside them is ignored, or refused where it contradicts."""

    objects: RequestObjects
    pushed: PushedRequests

    async def read(self, form: Form, client: Client, way: Way) -> Asked:
        """What ``client`` asks for with ``form``.

        Raises:
            OAuthError: It cannot be read: ``invalid_request_object``, ``invalid_request_uri``,
                ``request_uri_not_supported``, ``invalid_request``.
            Unavailable: Cannot tell.
        """
        written, reference = form.get("request"), form.get("request_uri")
        if reference is not None and way is Way.PUSH:
            raise invalid_request(Rule.REQUEST_URI_PUSHED, "A request_uri cannot be pushed.")
        if reference is not None and written is not None:
            raise invalid_request(Rule.REQUEST_TWICE, "Only one of request and request_uri may be sent.")
        if reference is not None:
            return await self._pushed(reference, client)
        if written is None:
            return Asked(form, way)
        signed = await self.objects.read(written, client)
        check_beside(form, signed, client)
        return Asked(signed, way, signed=True)

    async def _pushed(self, reference: str, client: Client) -> Asked:
        if not reference.startswith(PREFIX):
            code, description = ErrorCode.REQUEST_URI_NOT_SUPPORTED, "Only a request_uri of this server is supported."
            raise OAuthError(code, description, rule=Rule.REQUEST_BY_REFERENCE, hint=f"{reference!a:.200}")
        kept = await self.pushed.find(reference, client)
        form, stale = Form(kept.parameters, kept.resources), self.pushed.staleness(kept)
        return Asked(form, Way.PUSHED, pushed=kept.digest, stale=stale)
