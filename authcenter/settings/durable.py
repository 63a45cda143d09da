"""Small files that are there whole, or as they were before."""

import os
import secrets
from pathlib import Path


def write_durably(file: Path, text: str, mode: int) -> None:
    """Replace ``file`` by ``text``: a crash leaves the old one or the new one, and once this returns it is the new one.

    Args:
        mode: Permissions of the file.

    Raises:
        OSError: Nothing has changed.
    """
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # A name of its own, so that two processes on one directory do not write into each other's draft.
    draft = file.with_name(f".{file.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            os.fchmod(stream.fileno(), mode)
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)
    directory = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
