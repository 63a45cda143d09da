"""What browsers and authenticators answer to WebAuthn's two questions, checked (Web Authentication Level 3 §7).

The statement of who made an authenticator is not asked for: people choose theirs.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import urlsplit

from cryptography.exceptions import UnsupportedAlgorithm
from webauthn import verify_authentication_response, verify_registration_response
from webauthn.helpers import (
    decode_credential_public_key,
    decoded_public_key_to_cryptography,
    parse_attestation_object,
    parse_authentication_credential_json,
    parse_client_data_json,
    parse_registration_credential_json,
)
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AttestationFormat,
    AuthenticationCredential,
    CredentialDeviceType,
    RegistrationCredential,
)

from authcenter.core.errors import invalid_grant
from authcenter.core.rules import Rule

ALGORITHMS = (
    COSEAlgorithmIdentifier.EDDSA,
    COSEAlgorithmIdentifier.ECDSA_SHA_256,
    COSEAlgorithmIdentifier.RSASSA_PKCS1_v1_5_SHA_256,
)
"""What a passkey may sign by, the best first. All authenticators there are know one of them."""

_LONGEST_ANSWER = 32 * 1024
_LONGEST_ID = 1023
"""WebAuthn §4: of a credential id."""
_LONGEST_KEY = 1024
"""RSA of 4,096 bits has 530; the arithmetic of longer ones would hold everybody up."""
_MOST_TRANSPORTS = 8
# What the library raises of itself, and what it lets through from those that it reads with.
_BROKEN = (WebAuthnException, UnsupportedAlgorithm, ValueError, LookupError, TypeError, AttributeError, RecursionError)


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """For whom passkeys are made: the issuer's host. Browsers use them nowhere else.

    Attributes:
        origin: Where our pages are.
    """

    host: str
    origin: str

    @classmethod
    def of(cls, issuer: str) -> "RelyingParty":
        parts = urlsplit(issuer)
        return cls(parts.hostname or "", f"{parts.scheme}://{parts.netloc}")

    @property
    def has_name(self) -> bool:
        """Whether browsers make passkeys for it: for an IP address they do not (§5.1.2: a valid domain)."""
        try:
            ip_address(self.host)
        except ValueError:
            return True
        return False


@dataclass(frozen=True, slots=True)
class NewKey:
    """A passkey that has just been made.

    Attributes:
        synced: Whether it may be on several devices.
    """

    credential_id: bytes
    public_key: bytes
    sign_count: int
    transports: tuple[str, ...]
    aaguid: str
    backed_up: bool
    synced: bool


@dataclass(frozen=True, slots=True)
class Signed:
    """What a signature of a passkey says.

    Attributes:
        verified: Whether the authenticator made sure whose hand is on it: by a PIN, a fingerprint, a face.
    """

    sign_count: int
    verified: bool
    backed_up: bool
    synced: bool


@dataclass(frozen=True, slots=True)
class Proof:
    """An answer to the question who somebody is, read and not believed yet.

    Attributes:
        user_handle: Whose passkey it is, as the authenticator remembers; None: it does not tell.
    """

    credential_id: bytes
    user_handle: bytes | None
    _answer: AuthenticationCredential = field(repr=False)

    @classmethod
    def read(cls, text: str) -> "Proof":
        """Raises ``OAuthError``: ``invalid_grant``: no answer of a browser."""
        with _refusing(Rule.PASSKEY_MALFORMED):
            answer = parse_authentication_credential_json(_bounded(text))
            return cls(answer.raw_id, answer.response.user_handle, answer)

    def check(self, party: RelyingParty, challenge: bytes, public_key: bytes) -> Signed:
        """What it says. Whether the count has risen, and whether ``verified`` matters, is the caller's to tell.

        Raises:
            OAuthError: ``invalid_grant``: another challenge, another site's page, or not signed by ``public_key``.
        """
        _check_client_data(self._answer.response.client_data_json, party, challenge)
        with _refusing(Rule.PASSKEY_SIGNATURE):
            found = verify_authentication_response(
                credential=self._answer,
                expected_challenge=challenge,
                expected_rp_id=party.host,
                expected_origin=party.origin,
                credential_public_key=public_key,
                # Counts are compared when the signature holds: nobody else is to make it look like a copy.
                credential_current_sign_count=0,
            )
        synced = found.credential_device_type is CredentialDeviceType.MULTI_DEVICE
        return Signed(found.new_sign_count, found.user_verified, found.credential_backed_up, synced)


def read_new_key(text: str, party: RelyingParty, challenge: bytes) -> NewKey:
    """The passkey that a browser has just made.

    Raises:
        OAuthError: ``invalid_grant``: no such answer, another challenge, another site's page, a key that nobody can
            check, or made without making sure whose hand was on it.
    """
    with _refusing(Rule.PASSKEY_MALFORMED):
        answer = parse_registration_credential_json(_bounded(text))
        made_by = parse_attestation_object(answer.response.attestation_object).fmt
    if made_by not in {AttestationFormat.NONE, AttestationFormat.PACKED}:
        raise invalid_grant(Rule.PASSKEY_MALFORMED, f"a statement of the maker, unasked: {made_by!a:.40}")
    _check_client_data(answer.response.client_data_json, party, challenge)
    with _refusing(Rule.PASSKEY_SIGNATURE):
        found = verify_registration_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=party.host,
            expected_origin=party.origin,
            supported_pub_key_algs=list(ALGORITHMS),
        )
        # Else the first signature would show that it is no point of its curve.
        decoded_public_key_to_cryptography(decode_credential_public_key(found.credential_public_key))
    lengths = len(found.credential_id), len(found.credential_public_key)
    if lengths[0] > _LONGEST_ID or lengths[1] > _LONGEST_KEY or found.credential_id != answer.raw_id:
        raise invalid_grant(Rule.PASSKEY_MALFORMED, f"id and key of {lengths} bytes, or another id than it says")
    if not found.user_verified:
        raise invalid_grant(Rule.PASSKEY_UNVERIFIED, "a new one")
    return NewKey(
        credential_id=found.credential_id,
        public_key=found.credential_public_key,
        sign_count=found.sign_count,
        transports=_transports(answer),
        aaguid=found.aaguid,
        backed_up=found.credential_backed_up,
        synced=found.credential_device_type is CredentialDeviceType.MULTI_DEVICE,
    )


def methods_of(*, synced: bool) -> Sequence[str]:
    """What RFC 8176 calls the use of a passkey. Keys that leave their device are software's; the others' word that they
    are bound to hardware is believed, for nobody asked who made them."""
    return "swk" if synced else "hwk", "user", "mfa"


def _check_client_data(written: bytes, party: RelyingParty, challenge: bytes) -> None:
    with _refusing(Rule.PASSKEY_MALFORMED):
        told = parse_client_data_json(written)
    if told.challenge != challenge:
        raise invalid_grant(Rule.PASSKEY_CHALLENGE, "signed another one")
    if told.origin != party.origin or told.cross_origin:
        where = "in a frame of another site" if told.cross_origin else "not ours"
        raise invalid_grant(Rule.PASSKEY_ORIGIN, f"{told.origin!a:.100}: {where}")


def _bounded(text: str) -> str:
    if len(text) > _LONGEST_ANSWER:
        raise ValueError("too long")
    return text


def _transports(answer: RegistrationCredential) -> tuple[str, ...]:
    found = dict.fromkeys(one.value for one in answer.response.transports or ())
    return tuple(found)[:_MOST_TRANSPORTS]


@contextmanager
def _refusing(rule: Rule) -> Iterator[None]:
    """Makes a refusal by ``rule`` of whatever shows that an answer does not hold."""
    try:
        yield
    except _BROKEN as problem:
        raise invalid_grant(rule, f"{type(problem).__name__}: {str(problem)!a:.200}") from problem
