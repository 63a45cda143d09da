"""What checking a token means, for those that need it done: guards, gateways and tests of applications."""

from typing import Protocol

from authcenter.core.errors import Unavailable
from authcenter.core.token import AccessToken


class TokenVerification(Protocol):
    """Checks access tokens for one resource server.

    Attributes:
        issuer: Whose tokens are accepted.
        audience: This resource server's own identifier.
    """

    @property
    def issuer(self) -> str: ...

    @property
    def audience(self) -> str: ...

    async def verify(self, token: str, *scopes: str) -> AccessToken:
        """The token, typed, once every check has passed.

        Args:
            scopes: All of which it must have.

        Raises:
            TokenRejected: It must not be accepted (401 ``invalid_token``, RFC 6750 §3.1).
            InsufficientScope: It holds, but for less than this (403 ``insufficient_scope``).
            Unavailable: Cannot tell now (503).
        """
        ...


class InsufficientScope(Exception):
    """A token that holds, without the scopes that are asked for.

    Attributes:
        required: All the scopes that the request needs.
        missing: Those that the token lacks.
    """

    def __init__(self, required: tuple[str, ...], missing: tuple[str, ...]) -> None:
        super().__init__(f"without the scope {' '.join(missing)}")
        self.required, self.missing = required, missing


class KeysUnavailable(Unavailable):
    """The authorization server has never told its keys, and does not answer now."""
