"""A client's secret on its way to the authorization server (RFC 6749 §2.3.1): its form, and where it may go."""

from base64 import b64encode
from urllib.parse import quote_plus, urlsplit

from authcenter.core.secret import Secret
from authcenter.sdk.discovery import is_this_machine


def basic_authorization(client_id: str, client_secret: str | Secret) -> Secret:
    """The value of ``Authorization``. Both halves are form-encoded first, so that a colon or a letter beyond ASCII
    survives."""
    secret = client_secret.reveal() if isinstance(client_secret, Secret) else client_secret
    pair = f"{quote_plus(client_id)}:{quote_plus(secret)}"
    return Secret(f"Basic {b64encode(pair.encode()).decode()}")


def protected(url: str) -> str:
    """``url``, where nobody on the way can read what is sent.

    Raises:
        ValueError: It is neither https nor http on a loopback address.
    """
    parts = urlsplit(url)
    if parts.hostname and (parts.scheme == "https" or (parts.scheme == "http" and is_this_machine(parts.hostname))):
        return url
    raise ValueError(f"not https: {url!a:.200}")
