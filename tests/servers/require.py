"""Programs that a test needs: found, or the test is skipped with the reason; in CI their absence is a failure."""

import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import NoReturn

import pytest

_INSTALL = "tests/servers/install.sh"


def require(program: str, *, also_in: Iterable[Path] = ()) -> Path:
    """The path of a program on PATH or in one of the further directories; without it the test ends as ``missing`` says.

    Args:
        program: Name of the executable file.
        also_in: Directories that distributions keep off PATH, the preferred first.
    """
    return find(program, also_in) or missing(f"{program} is not installed")


def find(program: str, also_in: Iterable[Path] = ()) -> Path | None:
    """The path of a program, or None."""
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), *map(str, also_in)])
    found = shutil.which(program, path=path)
    return Path(found) if found else None


def missing(what: str) -> NoReturn:
    """Skip the running test for want of a server, or fail it where everything has to be there (``CI=true``)."""
    reason = f"{what}; {_INSTALL} gets it on Debian"
    if os.environ.get("CI") == "true":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)
