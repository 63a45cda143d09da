"""Secrets of a development server: made once, kept in the state directory, so that a restart changes nothing."""

import base64
import os
import secrets
from collections.abc import Callable
from pathlib import Path

from pydantic import SecretStr

from authcenter.settings.boot import BootSettings
from authcenter.settings.boot_fields import MIN_SECRET_BYTES, parse_passphrases, parse_secret_keys
from authcenter.settings.boot_sources import read_small_file
from authcenter.settings.errors import SettingsError

_PARSERS: dict[str, Callable[[str], tuple[bytes, ...]]] = {
    "secret_key": parse_secret_keys,
    "key_passphrase": parse_passphrases,
}


def with_development_secrets(
    settings: BootSettings, randomness: Callable[[int], bytes] = secrets.token_bytes
) -> BootSettings:
    """The settings with ``secret_key`` and ``key_passphrase`` filled in where they are not given.

    Does nothing outside development: production has been refused without them.

    Args:
        settings: Checked boot settings.
        randomness: Makes that many random bytes.

    Raises:
        SettingsError: The state directory cannot be written, or what it holds is no secret.
    """
    if settings.env != "development":
        return settings
    missing = [name for name in _PARSERS if not getattr(settings, name).get_secret_value()]
    kept = {name: SecretStr(_keep(settings.state_dir / name, name, randomness)) for name in missing}
    return settings.model_copy(update=kept)


def _keep(file: Path, name: str, randomness: Callable[[int], bytes]) -> str:
    try:
        if not file.exists():
            _create(file, base64.urlsafe_b64encode(randomness(MIN_SECRET_BYTES)).rstrip(b"="))
        text = read_small_file(file).removesuffix("\n")
        problem = "" if _PARSERS[name](text) else "is empty"
    except OSError as error:
        raise SettingsError(f"{file}: cannot be kept: {error.strerror}") from None
    except ValueError as error:
        problem = str(error)
    if problem:
        raise SettingsError(f"{file}: {problem}; delete it to have a new one made")
    return text


def _create(file: Path, value: bytes) -> None:
    """Put a whole file there, or leave the one that somebody else has put there meanwhile."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = file.with_name(f".{file.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(value + b"\n")
            stream.flush()
            os.fsync(stream.fileno())
        # A link fails where the name is taken, and no reader sees half a secret; O_EXCL alone promises only the first.
        os.link(draft, file)
    except FileExistsError:
        return
    finally:
        draft.unlink(missing_ok=True)
    directory = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
