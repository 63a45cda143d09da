"""A request's parameters, one value a name (RFC 6749 §3.2)."""

from collections.abc import Mapping

from authcenter.core.checks import failed
from authcenter.core.errors import invalid_request
from authcenter.core.rules import Rule
from authcenter.core.value import Value


class Form(Value, frozen=True):
    """Parameters as they came; an empty value counts as absent (RFC 6749 §3.1).

    Attributes:
        resources: All values of ``resource``, the one parameter that may repeat (RFC 8707 §2).
    """

    values: Mapping[str, str]
    resources: tuple[str, ...] = ()

    def get(self, name: str) -> str | None:
        return self.values.get(name) or None

    def require(self, name: str) -> str:
        """The parameter's value.

        Raises:
            OAuthError: ``invalid_request``, where it is absent.
        """
        value = self.values.get(name)
        if not value:
            failed("parameter", missing=name)
            raise invalid_request(Rule.PARAMETER_MISSING, f"The parameter {name} is missing.")
        return value
