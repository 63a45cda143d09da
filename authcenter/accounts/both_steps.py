"""Signing in without pages: the password, and the second factor of who has one."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from authcenter.accounts.second_step import SecondStep
from authcenter.accounts.sessions import ACR_ONE_FACTOR, ACR_TWO_FACTORS
from authcenter.accounts.sign_in import PasswordSignIn
from authcenter.core.errors import OAuthError, invalid_grant
from authcenter.core.origin import RequestOrigin
from authcenter.core.rules import Rule
from authcenter.core.user import User
from authcenter.core.value import Value

_LANGUAGE = "en"


class Presented(Value, frozen=True):
    """What an app sends of a person.

    Attributes:
        otp: A code of their authenticator app; ``recovery_code``: what stands in for it.
    """

    login: str
    password: str
    otp: str | None = None
    recovery_code: str | None = None


class Proof(Value, frozen=True):
    """Who it is, and how they proved it.

    Attributes:
        amr: The methods of RFC 8176; ``acr``: what they amount to.
    """

    user: User
    amr: tuple[str, ...]
    acr: str


@dataclass(frozen=True, slots=True)
class BothSteps:
    """The one way in for what asks nobody anything: the password grant, and the JSON of first-party apps."""

    password: PasswordSignIn
    second: SecondStep

    async def by_password(self, presented: Presented, origin: RequestOrigin) -> User:
        """Whose name and password it is; spends nothing.

        Raises:
            RateLimited: Too many were wrong.
            OAuthError: ``invalid_grant``.
            Unavailable: Cannot tell.
        """
        return await self.password.authenticate(presented.login, presented.password, origin.ip)

    async def by_second_factor(self, user: User, presented: Presented, origin: RequestOrigin) -> Proof:
        """Check the second factor of ``user``, who passed the first step, where there is one. What proves it is spent.

        Raises:
            RateLimited: Too many codes were wrong.
            OAuthError: ``invalid_grant``; by the rule ``USER_SECOND_FACTOR_DUE`` where all that is wrong is that a
                second factor is missing.
            Unavailable: Cannot tell.
        """
        if not await self.second.factors.due(user):
            return Proof(user, ("pwd",), ACR_ONE_FACTOR)
        # Nobody reads a page here whose language the mail could be in.
        language = str(user.claims.get("locale") or _LANGUAGE)
        if presented.otp is not None:
            methods = await self.second.prove(user, presented.otp, language, origin)
        elif presented.recovery_code is not None:
            methods = await self.second.prove(user, presented.recovery_code, language, origin, "recovery")
        else:
            raise invalid_grant(Rule.USER_SECOND_FACTOR_DUE, user.subject)
        return Proof(user, ("pwd", *methods), ACR_TWO_FACTORS)


@dataclass(frozen=True, slots=True)
class CountedSteps:
    """The same, told to the metrics: the rule by which somebody is refused, ``success`` after the second step."""

    steps: BothSteps
    count: Callable[[str], None]

    async def by_password(self, presented: Presented, origin: RequestOrigin) -> User:
        """As ``BothSteps.by_password``."""
        with self._refusals():
            return await self.steps.by_password(presented, origin)

    async def by_second_factor(self, user: User, presented: Presented, origin: RequestOrigin) -> Proof:
        """As ``BothSteps.by_second_factor``."""
        with self._refusals():
            proof = await self.steps.by_second_factor(user, presented, origin)
        self.count("success")
        return proof

    @contextmanager
    def _refusals(self) -> Iterator[None]:
        try:
            yield
        except OAuthError as refused:
            self.count(refused.rule)
            raise
