"""Where a request came from, for the log and the audit."""

from authcenter.core.ids import RequestId
from authcenter.core.value import Value


class RequestOrigin(Value, frozen=True):
    """Who asked, as far as the connection tells.

    Attributes:
        caller_request_id: The ``X-Request-Id`` a trusted proxy sent; ours is ``request_id``.
        by_proxy: Whether a trusted proxy sent the request.
    """

    request_id: RequestId
    ip: str = ""
    user_agent: str = ""
    caller_request_id: str = ""
    by_proxy: bool = False
