"""The types that policy fields are made of."""

import re
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer

from authcenter.settings.rate import Rate

# RFC 6749 §3.3 (scope-token) and §A.10 (grant-type names, or URIs)
_SCOPE = re.compile(r"[!#-\[\]-~]+")
_NAME = re.compile(r"[!-~]+")
_COLOR = re.compile(r"(#[0-9A-Fa-f]{6})?")
_LOGO = re.compile(r"((https://[^/\s]|/(?!/))[!-~]*)?")

Network = IPv4Network | IPv6Network


class Section(BaseModel):
    """A frozen mapping of the policy. Strict: no text for a number, no boolean for an integer, no unknown field."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False)


def _to_tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _to_rate(value: Any) -> Any:
    return value if isinstance(value, Rate) else Rate.parse(value if isinstance(value, str) else "")


def _to_network(value: Any) -> Any:
    if isinstance(value, IPv4Network | IPv6Network):
        return value
    if not isinstance(value, str):
        raise ValueError("must be a network such as 10.0.0.0/8")  # noqa: TRY004  # pydantic collects ValueErrors only
    try:
        return ip_network(value)
    except ValueError:
        raise ValueError("must be a network such as 10.0.0.0/8, without host bits") from None


def _matching(pattern: re.Pattern[str], meaning: str) -> AfterValidator:
    def check(value: str) -> str:
        if not pattern.fullmatch(value):
            raise ValueError(f"must be {meaning}")
        return value

    return AfterValidator(check)


def seconds(default: int, least: int, most: int, meaning: str) -> Any:
    """A duration in whole seconds with its range."""
    return Field(default=default, ge=least, le=most, description=meaning, json_schema_extra={"unit": "seconds"})


def count(default: int, least: int, most: int, meaning: str, unit: str) -> Any:
    """A whole number of ``unit`` with its range."""
    return Field(default=default, ge=least, le=most, description=meaning, json_schema_extra={"unit": unit})


def rate(default: str, meaning: str) -> Any:
    """A rate, its default as operators write it."""
    return Field(default=Rate.parse(default), description=meaning, json_schema_extra={"unit": "events/period"})


RateField = Annotated[Rate, BeforeValidator(_to_rate), PlainSerializer(str, return_type=str)]
Scopes = Annotated[tuple[Annotated[str, _matching(_SCOPE, "a scope value")], ...], BeforeValidator(_to_tuple)]
Names = Annotated[tuple[Annotated[str, _matching(_NAME, "a name without spaces")], ...], BeforeValidator(_to_tuple)]
Networks = Annotated[
    tuple[Annotated[Network, BeforeValidator(_to_network), PlainSerializer(str, return_type=str)], ...],
    BeforeValidator(_to_tuple),
]
GatewayName = Annotated[
    str, _matching(re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"), "a name of letters, digits, . _ -")
]
ProviderName = Annotated[
    str, _matching(re.compile(r"[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?"), "a name of small letters, digits and -")
]
ProviderIssuer = Annotated[
    str,
    _matching(
        re.compile(r"(https://[^/?#@\s]+[^?#\s]*|http://(127\.0\.0\.1|\[::1\]|localhost)(:[0-9]+)?(/[^?#\s]*)?)?"),
        "an https URL without query, or one of this machine",
    ),
]
AudienceName = Annotated[str, _matching(_NAME, "an audience without spaces")]
Title = Annotated[str, _matching(re.compile(r"[^\x00-\x1f\x7f<>]{1,100}"), "1 to 100 printable characters")]
OptionalTitle = Annotated[str, _matching(re.compile(r"[^\x00-\x1f\x7f<>]{0,60}"), "up to 60 printable characters")]
ClientName = Annotated[str, _matching(re.compile(r"[ -~]{1,255}"), "1 to 255 printable ASCII characters")]
Color = Annotated[str, _matching(_COLOR, "empty or a color such as #1a2b3c")]
Logo = Annotated[str, _matching(_LOGO, "empty, an https URL or a path")]
