"""A request's parameters: an empty value counts as absent."""

from authcenter.core.form import Form
from authcenter.core.rules import Rule
from tests.workbench import refused


def test_a_value() -> None:
    form = Form({"a": "1", "b": ""})
    assert form.get("a") == form.require("a") == "1"
    assert form.get("b") is form.get("c") is None
    for name in ("b", "c"):
        with refused(Rule.PARAMETER_MISSING):
            form.require(name)
