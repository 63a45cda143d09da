"""The last policy that was accepted from a remote place, on disk: what a restart without that place begins with."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from authcenter.settings.boot_sources import read_small_file
from authcenter.settings.durable import write_durably
from authcenter.settings.errors import PolicyError
from authcenter.settings.policy import Policy, parse_policy

_HEAD = "# authcenter: copy of the last good policy; sha256 "
_OWNER_ONLY = 0o600


@dataclass(frozen=True, slots=True)
class LastGoodPolicy:
    """A document beside its own checksum: one cut short, or edited, would often still be a valid policy."""

    file: Path

    def keep(self, text: str) -> None:
        """Raises ``OSError``; the copy from before stays then."""
        write_durably(self.file, f"{_HEAD}{_checksum(text)}\n{text}", _OWNER_ONLY)

    def read(self) -> Policy | None:
        """The policy, or None where none has been kept.

        Raises:
            PolicyError: There is a file that is no such copy, or that does not validate.
        """
        try:
            written = read_small_file(self.file)
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as problem:
            raise PolicyError(f"{self.file}: cannot be read: {problem}") from problem
        head, _, text = written.partition("\n")
        if head != _HEAD + _checksum(text):
            raise PolicyError(f"{self.file}: is damaged: its checksum differs")
        try:
            return parse_policy(text, source="copy")
        except PolicyError as error:
            raise PolicyError(*(f"{self.file}: {problem}" for problem in error.problems)) from None


def _checksum(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
