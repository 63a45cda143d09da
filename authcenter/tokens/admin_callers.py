"""Who may use the admin API: by an access token for it (CONTRACT "HTTP"), and people by their role as well."""

from dataclasses import dataclass
from datetime import datetime

from authcenter.core.checks import failed, passed
from authcenter.core.client import Client
from authcenter.core.errors import Reason, TokenRejected, insufficient_scope, not_an_operator
from authcenter.core.ids import SUBJECT_PREFIX
from authcenter.core.rules import Rule
from authcenter.core.scope import ADMIN
from authcenter.core.token import AccessToken
from authcenter.core.user import OPERATOR, User
from authcenter.core.value import Value
from authcenter.stores.ports.accounts import UserLookup
from authcenter.stores.ports.clients import ClientLookup
from authcenter.tokens.families import TokenFamilies
from authcenter.tokens.verifier import AccessTokenVerifier


class AdminCaller(Value, frozen=True):
    """Who asks.

    Attributes:
        user: The person; None: the client asks for itself.
    """

    token: AccessToken
    client: Client
    user: User | None

    @property
    def actor(self) -> str:
        """As audit events name who did it."""
        return self.user.subject if self.user is not None else self.client.client_id


@dataclass(frozen=True, slots=True)
class AdminCallers:
    """Reads access tokens for the admin API.

    Attributes:
        users, clients: The record itself: who has just lost the role, or was cut off, does nothing any more.
    """

    verifier: AccessTokenVerifier
    families: TokenFamilies
    users: UserLookup
    clients: ClientLookup
    issuer: str

    @property
    def audience(self) -> str:
        return f"{self.issuer}/admin"

    async def of(self, token: str) -> AdminCaller:
        """Who asks by ``token``.

        Raises:
            TokenRejected: It does not hold, is not for the admin API alone, or who it was issued to is gone, disabled
                or cut off.
            BearerRefused: It lacks the scope, or its person is no operator.
            Unavailable: Cannot tell.
        """
        held = await self.verifier.read(token)
        self._check_audience(held)
        if "cnf" in held.claims:
            raise TokenRejected(Reason.BINDING, Rule.TOKEN_BINDING, f"token {held.jti} is bound to a key")
        if ADMIN not in held.scopes:
            failed("scope", needed=ADMIN, came=" ".join(sorted(held.scopes)))
            raise insufficient_scope(Rule.TOKEN_SCOPE, ADMIN, f"token {held.jti} without {ADMIN}")
        client = await self.clients.find(held.client_id)
        if client is None or client.disabled_at is not None or _is_cut(held, client.cut_at):
            raise _gone(held, f"the client {held.client_id}")
        user = None if held.subject == held.client_id else await self._operator(held)
        return AdminCaller(held, client, user)

    def _check_audience(self, held: AccessToken) -> None:
        # Nor one that a resource server gets to see as well: it could use it here.
        if self.audience not in held.audience or not {self.audience, self.issuer}.issuperset(held.audience):
            failed("audience", expected=self.audience, came=" ".join(held.audience))
            raise TokenRejected(Reason.AUDIENCE, Rule.TOKEN_AUDIENCE, f"for {held.audience}, not {self.audience} alone")
        passed("audience", audience=self.audience)

    async def _operator(self, held: AccessToken) -> User:
        family = await self.families.find_family(held.family)
        subject = family.subject if family else held.subject
        user = await self.users.find(subject) if subject.startswith(SUBJECT_PREFIX) else None
        if user is None or user.disabled_at is not None or _is_cut(held, user.cut_at):
            raise _gone(held, subject)
        if OPERATOR not in user.roles:
            failed("role", needed=OPERATOR, came=" ".join(sorted(user.roles)))
            raise not_an_operator(f"{user.subject} does not have the role {OPERATOR}")
        passed("role", subject=user.subject, role=OPERATOR)
        return user


def _is_cut(held: AccessToken, cut_at: datetime | None) -> bool:
    return cut_at is not None and held.issued_at <= cut_at.timestamp()


def _gone(held: AccessToken, whose: str) -> TokenRejected:
    return TokenRejected(Reason.REVOKED, Rule.TOKEN_REVOKED, f"{whose} is gone, disabled or cut off; token {held.jti}")
