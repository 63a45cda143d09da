"""Where the row lies of a token that was written together with others: found by time, which its names begin with.

Rows of issuance may hold several tokens (``audit.issued_together``). Such a row carries the request id of the first of
them alone, and no ``jti``; but request ids and ``jti`` tell when they were made, and a row covers no more than
``SPREAD``. So the few rows about that instant are looked at, and no index grows by every token.
"""

from dataclasses import dataclass

from authcenter.core.ids import milliseconds_of_jti, milliseconds_of_uuid7, uuid7_at

SPREAD_MILLISECONDS = 1_000
"""How far the requests of one row's tokens may lie apart."""

_LONGEST_REQUEST_MILLISECONDS = 60_000


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """Rows of issuance that may hold a token together with others.

    Attributes:
        begins, ends: What their request ids lie between, both included.
        quoted: What their context then says somewhere: a JSON text.
    """

    begins: str
    ends: str
    quoted: str


def neighbourhood_of_request(request_id: str) -> Neighbourhood | None:
    """Around a request; None: it is not one of ours."""
    at = milliseconds_of_uuid7(request_id)
    return None if at is None else Neighbourhood(uuid7_at(at - SPREAD_MILLISECONDS), request_id, f'"{request_id}"')


def neighbourhood_of_token(jti: str) -> Neighbourhood | None:
    """Around a token, which is made a while after its request began; None: its name does not say when."""
    at = milliseconds_of_jti(jti)
    if at is None:
        return None
    longest = SPREAD_MILLISECONDS + _LONGEST_REQUEST_MILLISECONDS
    return Neighbourhood(uuid7_at(at - longest), uuid7_at(at + SPREAD_MILLISECONDS), f'"{jti}"')
