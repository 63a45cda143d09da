"""Files of ``deploy/`` as a test runs them: adapted to its ports and directories as an operator would adapt them."""

from collections.abc import Mapping
from pathlib import Path

DEPLOY = Path(__file__).parents[2] / "deploy"


def adapted(file: str, changes: Mapping[str, str]) -> str:
    """The text of a file below ``deploy/`` with each of ``changes`` made; each must occur in it.

    Raises:
        LookupError: One does not: what is run would not be what is delivered.
    """
    text = (DEPLOY / file).read_text()
    for old, new in changes.items():
        if old not in text:
            raise LookupError(f"{file} has no {old!r}")
        text = text.replace(old, new)
    return text
