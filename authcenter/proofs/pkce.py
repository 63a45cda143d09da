"""Proof Key for Code Exchange (RFC 7636), of the method S256 alone: ``plain`` protects against nobody who can read."""

import hashlib
import hmac
import re

from authcenter.core import base64url
from authcenter.core.checks import failed, mark, passed
from authcenter.core.errors import OAuthError, invalid_grant
from authcenter.core.rules import Rule

METHOD = "S256"
_VERIFIER = re.compile(r"[A-Za-z0-9\-._~]{43,128}")
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")


def is_challenge(text: str) -> bool:
    """Whether ``text`` can be an S256 challenge: 32 bytes as base64url (RFC 7636 §4.2)."""
    return _CHALLENGE.fullmatch(text) is not None


def challenge_of(verifier: str) -> str:
    """RFC 7636 §4.2."""
    return base64url.encode(hashlib.sha256(verifier.encode()).digest())


def check_verifier(challenge: str | None, verifier: str | None) -> None:
    """Whether ``verifier`` is what ``challenge`` was made of.

    A verifier without a challenge is refused as well: somebody took the challenge out of the request (RFC 9700 §4.8.2).

    Raises:
        OAuthError: ``invalid_grant``.
    """
    if challenge is None:
        if verifier is not None:
            failed("pkce", challenge=None, verifier_sent=True)
            raise invalid_grant(Rule.PKCE_UNASKED, "a verifier, but the authorization request had no challenge")
        return
    if verifier is None:
        failed("pkce", method=METHOD, verifier_sent=False)
        raise invalid_grant(Rule.PKCE_MISSING, "the authorization request had a challenge")
    if not _VERIFIER.fullmatch(verifier):
        failed("pkce", method=METHOD, verifier_characters=len(verifier))
        raise _malformed(verifier)
    made = challenge_of(verifier)
    if not hmac.compare_digest(made, challenge):
        failed(
            "pkce",
            method=METHOD,
            expected=mark(challenge),
            came=mark(made),
            verifier_is_challenge=hmac.compare_digest(verifier, challenge),
        )
        raise invalid_grant(Rule.PKCE_MISMATCH, f"expected {mark(challenge)}, the verifier makes {mark(made)}")
    passed("pkce", method=METHOD)


def _malformed(verifier: str) -> OAuthError:
    return invalid_grant(Rule.PKCE_MALFORMED, f"{len(verifier)} characters, or one outside the grammar")
