"""Time-based one-time codes (RFC 6238): six digits, SHA-1, a new one every 30 seconds, as all authenticator apps take.

SHA-1 is what those apps do, and HMAC does not rest on what SHA-1 has lost.
"""

import re

import pyotp
from pyotp.exceptions import OTPVerificationError

from authcenter.core.second_factor import CODE_SECONDS

_SECRET_CHARACTERS = 32
"""Of base32: 160 bits, as RFC 4226 §4 recommends."""
_STEPS_OFF = 1
"""How far off a clock may be, either way (RFC 6238 §5.2)."""
_CODE = re.compile(r"[0-9]{6}")
_BETWEEN = re.compile(r"[\s-]+")
_LONGEST = 32


def draw_secret() -> str:
    """A new secret, in base32."""
    return pyotp.random_base32(_SECRET_CHARACTERS)


def provisioning_uri(secret: str, account: str, issuer: str) -> str:
    """What an app reads from the QR code.

    Args:
        issuer: Under which name the app shows it.
    """
    # The app splits its label at the first colon.
    return pyotp.TOTP(secret, interval=CODE_SECONDS).provisioning_uri(
        name=account, issuer_name=issuer.replace(":", " ")
    )


def matching_step(secret: str, typed: str, at: float) -> int | None:
    """The step whose code was typed, now or one step off; None: it is none of theirs. Compares in constant time.

    Args:
        at: Unix seconds.
    """
    code = _BETWEEN.sub("", typed[:_LONGEST])
    if not _CODE.fullmatch(code):
        return None
    try:
        return pyotp.TOTP(secret, interval=CODE_SECONDS).verify_and_get_timecode(
            code, for_time=at, valid_window=_STEPS_OFF
        )
    except OTPVerificationError:
        return None
