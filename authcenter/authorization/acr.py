"""How sure a client wants to be of who signs in (``acr``: OpenID Connect Core §3.1.2.1, §5.5.1.1; RFC 9470)."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from authcenter.accounts.sessions import ACR_ONE_FACTOR, ACR_TWO_FACTORS
from authcenter.core.authorization import AuthorizationRequest
from authcenter.core.checks import failed
from authcenter.core.errors import ErrorCode, OAuthError
from authcenter.core.rules import Rule
from authcenter.core.session import Session


async def wants_second(
    request: AuthorizationRequest, session: Session, has_second: Callable[[], Awaitable[bool]]
) -> bool:
    """Whether the person is to be asked for a second factor first.

    Values are in the order of preference. Where one factor would do as well, only who has a second one is asked.

    Args:
        has_second: Whether the person has one; not asked where it makes no difference.
    """
    wanted = _wanted(request)
    if session.acr == ACR_TWO_FACTORS or ACR_TWO_FACTORS not in wanted:
        return False
    if ACR_ONE_FACTOR not in wanted:
        return True
    return wanted.index(ACR_TWO_FACTORS) < wanted.index(ACR_ONE_FACTOR) and await has_second()


def told_acr(request: AuthorizationRequest, session: Session) -> str:
    """The ``acr`` to tell the client: the session's, or the lower one that it insists on and that the session has, too.

    Raises:
        OAuthError: One is called essential, and the session amounts to none of its values.
    """
    essential = _essential(request)
    if essential is None or session.acr in essential:
        return session.acr
    if session.acr == ACR_TWO_FACTORS and ACR_ONE_FACTOR in essential:
        return ACR_ONE_FACTOR
    failed("acr", expected=str(essential), came=session.acr)
    code, description = ErrorCode.UNMET_AUTHENTICATION_REQUIREMENTS, "The person cannot sign in as it is asked for."
    raise OAuthError(code, description, rule=Rule.ACR_UNMET, hint=f"{essential!a:.200}, not {session.acr}")


def _wanted(request: AuthorizationRequest) -> Sequence[Any]:
    values = _values(_wish(request))
    return request.acr_values if values is None else values


def _essential(request: AuthorizationRequest) -> Sequence[Any] | None:
    wish = _wish(request)
    return _values(wish) if wish.get("essential") is True else None


def _wish(request: AuthorizationRequest) -> dict[str, Any]:
    wish: dict[str, Any] = (request.claims.get("id_token") or {}).get("acr") or {}
    return wish


def _values(wish: dict[str, Any]) -> Sequence[Any] | None:
    values = wish.get("values", [wish["value"]] if "value" in wish else None)
    return values if values is None or isinstance(values, list) else [values]
