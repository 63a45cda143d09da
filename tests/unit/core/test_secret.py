"""A secret does not show itself."""

import copy
from dataclasses import dataclass

import pytest

from authcenter.core.approval import PresentedRefreshToken
from authcenter.core.secret import Secret


@dataclass
class Holder:
    secret: Secret


@pytest.mark.parametrize("shown", [str, repr, "{}".format, "{!r}".format, lambda value: f"{value}", lambda v: "%s" % v])  # noqa: UP031
def test_no_way_of_printing_shows_it(shown: object) -> None:
    for value in (Secret("hunter2"), Holder(Secret("hunter2")), [Secret("hunter2")], {"a": Secret("hunter2")}):
        assert "hunter2" not in shown(value)  # type: ignore[operator]


def test_it_is_there_for_who_asks() -> None:
    assert Secret("hunter2").reveal() == "hunter2"
    assert Secret("a") == Secret("a") != Secret("b")
    assert copy.copy(Secret("a")) == Secret("a")


def test_a_presented_refresh_token_does_not_show_itself() -> None:
    assert "acr_x" not in repr(PresentedRefreshToken("acr_x", None))  # type: ignore[arg-type]
