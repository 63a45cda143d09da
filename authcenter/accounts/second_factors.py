"""Second factors of an account: whether one is due, enrolled, taken away, and the codes that stand in for them.

Every act is one transaction with its audit event and the mail that tells the owner.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from authcenter.accounts.letters import Letters
from authcenter.accounts.recovery_codes import RecoveryCodes
from authcenter.accounts.totp import draw_secret, matching_step, provisioning_uri
from authcenter.core.checks import failed
from authcenter.core.clock import Clock
from authcenter.core.cut import Consequences
from authcenter.core.derived import SealingKeys
from authcenter.core.errors import ErrorCode, OAuthError, invalid_grant
from authcenter.core.event import Event, EventKind
from authcenter.core.mail import Letter, MailKind
from authcenter.core.origin import RequestOrigin
from authcenter.core.rules import Rule
from authcenter.core.second_factor import Factor, TotpSecret
from authcenter.core.user import User
from authcenter.stores.ports.second_factors import FactorStore, RecoveryCodeStore, TotpStore

_BEGUN_LASTS = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A one-time code secret that waits for its first code.

    Attributes:
        secret: In base32, for who types it; ``uri``: for who scans it.
    """

    secret: str
    uri: str

    def __repr__(self) -> str:
        return "Enrolment(…)"


@dataclass(frozen=True, slots=True)
class Standing:
    """What a person has of second factors.

    Attributes:
        totp_since: Since when one-time codes of an app are asked for; None: they are not.
        recovery_codes: How many can still be used.
    """

    factors: frozenset[Factor]
    totp_since: datetime | None
    recovery_codes: int


@dataclass(frozen=True, slots=True)
class SecondFactors:
    """The acts on second factors, and the question whether one is due.

    Attributes:
        brand: Under which name apps show the account.
    """

    totp: TotpStore
    codes: RecoveryCodeStore
    factors: FactorStore
    sealing: SealingKeys
    recovery: RecoveryCodes
    letters: Letters
    brand: Callable[[], str]
    clock: Clock

    async def due(self, user: User) -> bool:
        """Whether this person has to prove a second factor, however the first was proved.

        Raises:
            StoreUnavailable: Cannot tell, so nobody is to be let in.
        """
        return bool(await self.kinds(user))

    async def kinds(self, user: User) -> frozenset[Factor]:
        """What they can prove beside the first one. Raises ``StoreUnavailable``."""
        return await self.factors.factors_of(user.subject)

    async def standing(self, user: User) -> Standing:
        """Raises ``StoreUnavailable``."""
        totp = await self.totp.find(user.subject)
        return Standing(
            factors=await self.kinds(user),
            totp_since=totp.confirmed_at if totp else None,
            recovery_codes=len(await self.codes.unspent(user.subject)),
        )

    async def begin(self, user: User) -> bool:
        """Draw a secret for an app, in place of one that nobody confirmed; False where one is in use.

        Raises:
            StoreUnavailable: Nothing was begun.
        """
        sealed = self.sealing.seal(draw_secret().encode(), _bound_to(user.subject))
        return await self.totp.put(TotpSecret(user.subject, sealed, self.clock.now()))

    async def begun(self, user: User) -> Enrolment | None:
        """The enrolment that waits for its first code.

        Raises:
            StoreUnavailable: Cannot tell.
        """
        held = await self._begun(user)
        secret = self._opened(held) if held is not None else None
        if secret is None:
            return None
        return Enrolment(secret, provisioning_uri(secret, user.username, self.brand()))

    async def confirm(self, user: User, typed: str, language: str, origin: RequestOrigin | None) -> list[str]:
        """End the enrolment by a code of the app. The answer is the recovery codes, which nobody sees again.

        Args:
            language: Of the mail that tells the owner.

        Raises:
            OAuthError: ``invalid_grant``: not a code of the secret that was begun, or that has been ended meanwhile.
            StoreUnavailable: Nothing was added, or it is unknown.
        """
        held = await self._begun(user)
        if held is None:
            raise invalid_grant(Rule.SECOND_FACTOR_WRONG, f"{user.subject} has begun nothing")
        step = self._step(held, typed)
        codes, macs = self.recovery.draw(user.subject)
        event = _event(EventKind.SECOND_FACTOR_ADDED, user, user.subject, origin, factor=Factor.TOTP)
        told = self._told(MailKind.SECOND_FACTOR_ADDED, user, language, event)
        if not await self.totp.confirm(held, step, self.clock.now(), macs, told):
            raise invalid_grant(Rule.SECOND_FACTOR_WRONG, f"{user.subject} began anew meanwhile")
        return codes

    async def prove(self, user: User, typed: str) -> None:
        """Check a code of the app, and spend it.

        Raises:
            OAuthError: ``invalid_grant``: it is wrong, or as old as one that was accepted.
            StoreUnavailable: Nothing was proved.
        """
        held = await self.totp.find(user.subject)
        if held is None or held.confirmed_at is None:
            failed("second_factor", subject=user.subject, app=False)
            raise invalid_grant(Rule.SECOND_FACTOR_WRONG, f"{user.subject} has no app")
        step = self._step(held, typed)
        # RFC 6238 §5.2: the verifier must not accept the second attempt of the OTP.
        if not await self.totp.spend(held, step, self._sealed_anew(held)):
            failed("second_factor", subject=user.subject, step=step, newest_step=held.last_step)
            raise invalid_grant(Rule.SECOND_FACTOR_REPLAYED, f"{user.subject}, step {step}, newest {held.last_step}")

    async def recover(self, user: User, typed: str, language: str, origin: RequestOrigin | None) -> None:
        """Check a recovery code, and spend it.

        Args:
            language: Of the mail that tells the owner.

        Raises:
            OAuthError: ``invalid_grant``: it is none of theirs, or was used.
            StoreUnavailable: Nothing was proved.
        """
        kept = await self.codes.unspent(user.subject)
        found = self.recovery.find(user.subject, typed, kept)
        left = len(kept) - 1
        event = _event(EventKind.RECOVERY_CODE_SPENT, user, user.subject, origin, left=left)
        told = self._told(MailKind.RECOVERY_CODE_USED, user, language, event, left=str(left))
        if found is None or not await self.codes.spend(user.subject, found, self.clock.now(), told):
            failed("recovery_code", subject=user.subject, differs=True, left=len(kept))
            raise invalid_grant(Rule.RECOVERY_CODE_WRONG, f"{user.subject}, who has {len(kept)} left")

    async def renew_codes(self, user: User, language: str, origin: RequestOrigin | None) -> list[str] | None:
        """New recovery codes in the place of all others; None: there is no factor that they could stand in for.

        Args:
            language: Of the mail that tells the owner.

        Raises:
            StoreUnavailable: The old ones go on, or it is unknown.
        """
        codes, macs = self.recovery.draw(user.subject)
        event = _event(EventKind.RECOVERY_CODES_RENEWED, user, user.subject, origin)
        told = self._told(MailKind.RECOVERY_CODES_RENEWED, user, language, event)
        done = await self.codes.replace(user.subject, macs, self.clock.now(), told)
        return codes if done else None

    async def remove_totp(self, user: User, language: str, origin: RequestOrigin | None) -> bool:
        """Ask for no more codes of the app; False where none are asked for.

        Raises:
            StoreUnavailable: They are still asked for, or it is unknown.
        """
        event = _event(EventKind.SECOND_FACTOR_REMOVED, user, user.subject, origin, factor=Factor.TOTP)
        told = self._told(MailKind.SECOND_FACTOR_REMOVED, user, language, event)
        return await self.totp.remove(user.subject, told)

    async def reset(self, user: User, language: str, *, actor: str, origin: RequestOrigin | None = None) -> bool:
        """Take every factor and recovery code away from somebody who has lost them; False where there are none.

        Raises:
            StoreUnavailable: They are still asked for, or it is unknown.
        """
        event = _event(EventKind.SECOND_FACTORS_RESET, user, actor, origin)
        told = self._told(MailKind.SECOND_FACTOR_REMOVED, user, language, event)
        return await self.factors.end_all(user.subject, told)

    async def _begun(self, user: User) -> TotpSecret | None:
        held = await self.totp.find(user.subject)
        if held is None or held.confirmed_at is not None or held.created_at + _BEGUN_LASTS <= self.clock.now():
            return None
        return held

    def _step(self, held: TotpSecret, typed: str) -> int:
        secret = self._opened(held)
        step = matching_step(secret, typed, self.clock.seconds()) if secret is not None else None
        if step is None:
            hint = f"{held.subject}" if secret is not None else f"{held.subject}: the key that sealed theirs is gone"
            failed("second_factor", subject=held.subject, differs=secret is not None, clock=str(self.clock.now()))
            raise invalid_grant(Rule.SECOND_FACTOR_WRONG, hint)
        return step

    def _sealed_anew(self, held: TotpSecret) -> bytes:
        """Under the newest root secret, so that the old one can go in the end."""
        opened = self._opened(held)
        if opened is None or self.sealing.is_newest(held.sealed):
            return held.sealed
        return self.sealing.seal(opened.encode(), _bound_to(held.subject))

    def _opened(self, held: TotpSecret) -> str | None:
        opened = self.sealing.open(held.sealed, _bound_to(held.subject))
        return opened.decode() if opened is not None else None

    def _told(self, kind: MailKind, user: User, language: str, event: Event, **values: str) -> Consequences:
        letter = Letter(kind, user.email, language, {"username": user.username, **values})
        return Consequences(events=(event,), jobs=(self.letters.job(letter),))


def mfa_required(subject: str) -> OAuthError:
    """What a first-party app is told that has sent the right password, and no second factor."""
    description = "The person has to prove a second factor."
    return OAuthError(ErrorCode.MFA_REQUIRED, description, rule=Rule.USER_SECOND_FACTOR_DUE, hint=subject, status=403)


def _bound_to(subject: str) -> bytes:
    # So that nobody's row can be put into another's place.
    return f"totp {subject}".encode()


def _event(kind: EventKind, user: User, actor: str, origin: RequestOrigin | None, **context: object) -> Event:
    return Event(kind, actor, subject=user.subject, origin=origin, context=context)
