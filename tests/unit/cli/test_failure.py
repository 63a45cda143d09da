"""What each error means on the command line."""

import click
import pytest

from authcenter.cli.failure import CheckFailed, Failure, failure_of
from authcenter.core.errors import Conflict, InvalidInput, NotFound, Overloaded, StoreUnavailable
from authcenter.settings.errors import SettingsError

CONTEXT = click.Context(click.Command("list"), info_name="authcenter list")

FAILURES = [
    pytest.param(InvalidInput("id: empty"), Failure(("id: empty",), 2), id="bad argument"),
    pytest.param(Conflict("taken"), Failure(("taken",), 1), id="conflict"),
    pytest.param(NotFound("no client"), Failure(("no client",), 1), id="not found"),
    pytest.param(StoreUnavailable("no answer"), Failure(("no answer",), 1), id="store"),
    pytest.param(Overloaded("full"), Failure(("full",), 1), id="pool"),
    pytest.param(SettingsError("a", "b"), Failure(("a", "b"), 2), id="settings"),
    pytest.param(CheckFailed("line 1", "line 2"), Failure(("line 1", "line 2"), 1), id="check"),
    pytest.param(CheckFailed(), Failure((), 1), id="check without words"),
    pytest.param(FileNotFoundError(2, "No such file"), Failure(("[Errno 2] No such file",), 2), id="file"),
    pytest.param(click.Abort(), Failure(("aborted",), 1), id="abort"),
    pytest.param(click.exceptions.Exit(3), Failure((), 3), id="exit"),
    pytest.param(click.UsageError("so not"), Failure(("so not.",), 2), id="usage"),
    pytest.param(
        click.UsageError("so\nnot", CONTEXT), Failure(("so not. See `authcenter list --help`.",), 2), id="usage of one"
    ),
    pytest.param(click.ClickException("odd"), Failure(("odd.",), 1), id="click"),
]


@pytest.mark.parametrize(("problem", "failure"), FAILURES)
def test_every_known_error_has_lines_and_an_exit_code(problem: Exception, failure: Failure) -> None:
    assert failure_of(problem) == failure


def test_a_defect_of_ours_is_raised_again() -> None:
    defect = ZeroDivisionError("ours")
    with pytest.raises(ZeroDivisionError) as raised:
        failure_of(defect)
    assert raised.value is defect
