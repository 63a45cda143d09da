"""``python -m tests.bench.unrecorded ARGUMENTS``: authcenter, but what it issues leaves no audit row. To be measured
against authcenter itself, for what the rows cost; the product has no such switch."""

from typing import Any

from authcenter.cli.root import main
from authcenter.core.checks import checks_so_far
from authcenter.tokens.issuance import IssuanceLog


def _unrecorded(*_: Any, **__: Any) -> None:
    # Asked for all the same: of a request whose checks nobody took a trace is kept.
    checks_so_far()


if __name__ == "__main__":
    IssuanceLog.issued = _unrecorded  # type: ignore[method-assign]
    main()
