"""Clients (RFC 6749 §2): what one is, and what it may ask for."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from authcenter.core.ids import ClientId
from authcenter.core.relying_party import RelyingParty
from authcenter.core.scope import OFFLINE_ACCESS, Scope


class Profile(StrEnum):
    """The rule book a client is held to."""

    OAUTH21 = "oauth21"
    OIDC = "oidc"
    FAPI2 = "fapi2"


class AuthMethod(StrEnum):
    """How a client authenticates (the ``token_endpoint_auth_method`` registry of RFC 7591)."""

    SECRET_BASIC = "client_secret_basic"
    SECRET_POST = "client_secret_post"
    NONE = "none"


# Up to Python 3.11 looking a member up in its enum costs as much as a call: those of every request, once.
_NONE = AuthMethod.NONE
SECRET_METHODS = frozenset({AuthMethod.SECRET_BASIC, AuthMethod.SECRET_POST})


class OnOutage(StrEnum):
    """What to do with a token when its revocation cannot be checked."""

    OPEN = "open"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class ClientSecret:
    """One live secret, as it is stored: a keyed HMAC, or argon2id where it was brought from outside."""

    stored: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """A client's own limits; a value counts only where it is shorter than the policy's."""

    access: timedelta | None = None
    refresh: timedelta | None = None
    refresh_max: timedelta | None = None
    reuse_grace: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Client:
    """A registered client.

    Attributes:
        auth_methods: Those it may use; ``{none}`` makes it public.
        scopes: What it may ask for; also what it gets when it asks for nothing, but for reserved ones.
        audiences: The resources it may ask for, the first being the default.
        serves: The audiences it *is*: it may introspect tokens made for them.
        relying_party: What OpenID Connect adds.
        cut_at: Tokens issued to it up to this instant are refused.
        revision: Rises with every write; a write names the revision it was made from.
    """

    client_id: ClientId
    name: str
    profile: Profile
    auth_methods: frozenset[AuthMethod]
    grants: frozenset[str]
    scopes: Scope
    audiences: tuple[str, ...]
    serves: frozenset[str]
    redirect_uris: tuple[str, ...]
    origins: frozenset[str]
    first_party: bool
    lifetimes: Lifetimes
    on_outage: OnOutage | None
    secrets: tuple[ClientSecret, ...]
    created_at: datetime
    updated_at: datetime
    disabled_at: datetime | None = None
    cut_at: datetime | None = None
    revision: int = 1
    relying_party: RelyingParty = field(default_factory=RelyingParty)

    @property
    def public(self) -> bool:
        return _NONE in self.auth_methods

    def refreshable(self, scope: Scope) -> bool:
        """Whether a refresh token goes with ``scope``: OpenID clients ask for ``offline_access``, to which somebody
        consents; all others get one when they may use it."""
        asked_for = self.profile is not Profile.OIDC or OFFLINE_ACCESS in scope
        return "refresh_token" in self.grants and asked_for
