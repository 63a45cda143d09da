"""Passkeys of an account: added, signed in by (alone or after another proof), and taken away.

Every act that changes the account is one transaction with its audit event and the mail that tells the owner.
"""

import json
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from authcenter.accounts.ceremonies import Ceremonies
from authcenter.accounts.letters import Letters
from authcenter.accounts.passkey_answers import ALGORITHMS, Proof, RelyingParty, methods_of, read_new_key
from authcenter.accounts.recovery_codes import RecoveryCodes
from authcenter.accounts.second_factor_tries import SecondFactorTries
from authcenter.core import base64url
from authcenter.core.clock import Clock
from authcenter.core.cut import Consequences
from authcenter.core.errors import Conflict, ErrorCode, OAuthError, invalid_grant
from authcenter.core.event import Event, EventKind
from authcenter.core.mail import Letter, MailKind
from authcenter.core.origin import RequestOrigin
from authcenter.core.passkey import MOST_PASSKEYS, Passkey
from authcenter.core.rules import Rule
from authcenter.core.second_factor import Factor
from authcenter.core.user import User
from authcenter.core.value import Value
from authcenter.stores.ports.passkeys import PasskeyStore

LONGEST_NAME = 64
_BROWSER_WAITS_MILLISECONDS = 300_000


class Question(Value, frozen=True):
    """What a page asks a browser to do with a passkey.

    Attributes:
        options: For the page's script, in WebAuthn's JSON (§5.1.8, §5.1.9).
        ceremony: What has to come back with the answer.
    """

    options: str
    ceremony: str


class Answered(Value, frozen=True):
    """What came back.

    Attributes:
        ceremony: As the page carried it; ``text``: what the browser said, in WebAuthn's JSON.
        browser: Who sent it: the id in its cookie.
    """

    ceremony: str
    text: str
    browser: str

    def __repr__(self) -> str:
        return "Answered(…)"


@dataclass(frozen=True, slots=True)
class Passkeys:
    """The acts on passkeys.

    Attributes:
        find_user: A person by subject, from the record itself.
        has_password: Whether somebody can sign in without any passkey or identity elsewhere.
        providers: The identity providers there are: identities of others are no way in.
        tries: Of passkeys as the second step; alone, they take slots of the same limits, by passkey and by address.
        brand: Under which name browsers show the account.
    """

    store: PasskeyStore
    find_user: Callable[[str], Awaitable[User | None]]
    ceremonies: Ceremonies
    recovery: RecoveryCodes
    letters: Letters
    party: RelyingParty
    tries: SecondFactorTries
    has_password: Callable[[User], Awaitable[bool]]
    providers: Callable[[], Collection[str]]
    brand: Callable[[], str]
    clock: Clock

    async def list_of(self, user: User) -> Sequence[Passkey]:
        """By when they were made, the oldest first. Raises ``StoreUnavailable``."""
        return await self.store.list_of(user.subject)

    async def to_add(self, user: User, browser: str) -> Question:
        """Asks for a new one, which the authenticator finds by itself later on. Raises ``StoreUnavailable``."""
        challenge, ceremony = self.ceremonies.begin("add", browser, user.subject)
        options = {
            "rp": {"id": self.party.host, "name": self.brand()},
            # §14.6.1: nothing that tells who it is; the subject is random.
            "user": {
                "id": base64url.encode(user.subject.encode()),
                "name": user.username,
                "displayName": user.username,
            },
            "challenge": base64url.encode(challenge),
            "pubKeyCredParams": [{"type": "public-key", "alg": int(algorithm)} for algorithm in ALGORITHMS],
            "timeout": _BROWSER_WAITS_MILLISECONDS,
            "excludeCredentials": _named(await self.list_of(user)),
            "authenticatorSelection": {
                "residentKey": "required",
                "requireResidentKey": True,
                "userVerification": "required",
            },
            "attestation": "none",
        }
        return Question(json.dumps(options), ceremony)

    def to_sign_in(self, browser: str) -> Question:
        """Asks whose passkey it is, and the authenticator to make sure of who holds it."""
        challenge, ceremony = self.ceremonies.begin("sign_in", browser)
        return self._to_sign(challenge, ceremony, (), "required")

    async def to_prove(self, user: User, browser: str) -> Question:
        """Asks for one of this person's. Raises ``StoreUnavailable``."""
        challenge, ceremony = self.ceremonies.begin("prove", browser, user.subject)
        return self._to_sign(challenge, ceremony, await self.list_of(user), "preferred")

    async def add(
        self, user: User, name: str, answered: Answered, language: str, origin: RequestOrigin
    ) -> tuple[Sequence[str], Sequence[str]]:
        """Keep a new one.

        Args:
            name: What its owner calls it.
            language: Of the mail that tells the owner.

        Returns:
            Recovery codes, which nobody sees again, where they had none left; and the methods of RFC 8176 that the
            making of it proved.

        Raises:
            OAuthError: ``invalid_grant``: it does not hold, is known already, or there are too many.
            Unavailable: Nothing was added, or it is unknown.
        """
        challenge = await self.ceremonies.end(answered.ceremony, "add", answered.browser, user.subject)
        made = read_new_key(answered.text, self.party, challenge)
        passkey = Passkey(
            credential_id=made.credential_id,
            subject=user.subject,
            public_key=made.public_key,
            sign_count=made.sign_count,
            transports=made.transports,
            aaguid=made.aaguid,
            name=name,
            backed_up=made.backed_up,
            created_at=self.clock.now(),
        )
        codes, macs = self.recovery.draw(user.subject)
        kinds = EventKind.SECOND_FACTOR_ADDED, MailKind.SECOND_FACTOR_ADDED
        told = self._told(*kinds, user, passkey, language, origin)
        try:
            added = await self.store.add(passkey, macs, MOST_PASSKEYS, told)
        except Conflict as taken:
            raise invalid_grant(Rule.PASSKEY_TAKEN, f"{user.subject} adds one that is known") from taken
        if not added.done:
            raise invalid_grant(Rule.PASSKEYS_FULL, f"{user.subject} has {MOST_PASSKEYS}, or is disabled")
        return codes if added.codes_kept else (), methods_of(synced=made.synced)

    async def sign_in(self, answered: Answered, origin: RequestOrigin) -> tuple[User, Sequence[str]]:
        """Who it is, by a passkey alone; and the methods of RFC 8176 that were proved, which are two factors.

        Raises:
            RateLimited: Too many did not hold, of this passkey or from this address; nothing was looked at.
            OAuthError: ``invalid_grant``: it does not hold, or its owner is disabled.
            Unavailable: Cannot tell now.
        """
        proof = Proof.read(answered.text)
        async with self.tries.limits.attempt(origin.ip, base64url.encode(proof.credential_id)):
            challenge = await self.ceremonies.end(answered.ceremony, "sign_in", answered.browser)
            passkey = await self._known(proof)
            # §7.2: who was not known before is named by the user handle, which must be there.
            if proof.user_handle != passkey.subject.encode():
                raise invalid_grant(Rule.PASSKEY_FOREIGN, f"{passkey.subject}'s, with another user handle or none")
            methods = await self._check(proof, passkey, challenge, alone=True)
            user = await self.find_user(passkey.subject)
            if user is None or user.disabled_at is not None:
                raise invalid_grant(Rule.USER_DISABLED, f"{passkey.subject}, by a passkey")
        return user, methods

    async def prove(self, user: User, answered: Answered, origin: RequestOrigin) -> Sequence[str]:
        """The methods of RFC 8176 that one of this person's passkeys proved, beside what was proved before.

        Raises:
            RateLimited, Unavailable: As ``sign_in``.
            OAuthError: ``invalid_grant``: it does not hold, or is not theirs.
        """
        proof = Proof.read(answered.text)
        async with self.tries.attempt(user, origin):
            challenge = await self.ceremonies.end(answered.ceremony, "prove", answered.browser, user.subject)
            passkey = await self._known(proof)
            if passkey.subject != user.subject or proof.user_handle not in {None, user.subject.encode()}:
                raise invalid_grant(Rule.PASSKEY_FOREIGN, f"{passkey.subject}'s, where {user.subject} signs in")
            return await self._check(proof, passkey, challenge, alone=False)

    async def remove(self, user: User, credential_id: bytes, language: str, origin: RequestOrigin) -> None:
        """Take one away. None there, a no-op.

        Raises:
            OAuthError: ``access_denied``: it is the last way to sign in.
            StoreUnavailable: It is still there, or it is unknown.
        """
        passkey = await self.store.find(credential_id)
        if passkey is None or passkey.subject != user.subject:
            return
        kinds = EventKind.SECOND_FACTOR_REMOVED, MailKind.SECOND_FACTOR_REMOVED
        told = self._told(*kinds, user, passkey, language, origin)
        among = None if await self.has_password(user) else self.providers()
        if await self.store.remove(passkey, told, among=among):
            return
        if await self.store.find(credential_id) is not None:
            description = "The account would have no way to sign in."
            hint = f"{user.subject} has no other way in"
            raise OAuthError(ErrorCode.ACCESS_DENIED, description, rule=Rule.PASSKEY_LAST, hint=hint, status=409)

    def _to_sign(self, challenge: bytes, ceremony: str, passkeys: Sequence[Passkey], verification: str) -> Question:
        options = {
            "challenge": base64url.encode(challenge),
            "rpId": self.party.host,
            "timeout": _BROWSER_WAITS_MILLISECONDS,
            "allowCredentials": _named(passkeys),
            "userVerification": verification,
        }
        return Question(json.dumps(options), ceremony)

    async def _known(self, proof: Proof) -> Passkey:
        passkey = await self.store.find(proof.credential_id)
        if passkey is None:
            raise invalid_grant(Rule.PASSKEY_UNKNOWN, f"{base64url.encode(proof.credential_id):.100}")
        return passkey

    async def _check(self, proof: Proof, passkey: Passkey, challenge: bytes, *, alone: bool) -> Sequence[str]:
        signed = proof.check(self.party, challenge, passkey.public_key)
        if alone and not signed.verified:
            raise invalid_grant(Rule.PASSKEY_UNVERIFIED, passkey.subject)
        used = replace(passkey, sign_count=signed.sign_count, backed_up=signed.backed_up)
        # In the record and not here: of two copies that count alike, one gets through.
        if not await self.store.use(used, self.clock.now()):
            counts = f"it says {signed.sign_count}, after {passkey.sign_count}"
            raise invalid_grant(Rule.PASSKEY_COUNTER, f"{passkey.subject}: {counts}, or removed meanwhile")
        return methods_of(synced=signed.synced)

    def _told(
        self, event: EventKind, mail: MailKind, user: User, passkey: Passkey, language: str, origin: RequestOrigin
    ) -> Consequences:
        context = {"factor": Factor.PASSKEY, "aaguid": passkey.aaguid, "backed_up": passkey.backed_up}
        done = Event(event, user.subject, subject=user.subject, origin=origin, context=context)
        letter = Letter(mail, user.email, language, {"username": user.username})
        return Consequences(events=(done,), jobs=(self.letters.job(letter),))


def clean_name(typed: str, otherwise: str) -> str:
    """A name for a passkey, as it is kept; ``otherwise`` where nothing of it is left."""
    shown = "".join(character for character in typed if character.isprintable())
    return " ".join(shown.split())[:LONGEST_NAME].strip() or otherwise


def _named(passkeys: Sequence[Passkey]) -> list[dict[str, Any]]:
    return [
        {"type": "public-key", "id": base64url.encode(one.credential_id), "transports": list(one.transports)}
        for one in passkeys
    ]
