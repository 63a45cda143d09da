"""``config/reference.yaml``: every setting with default, range, unit and meaning, made from the models themselves.

``python -m authcenter.settings.reference`` prints it; ``make verify`` compares it with the file.
"""

import json
import sys
from collections.abc import Iterator
from textwrap import wrap
from typing import Any, Literal, get_args, get_origin

from annotated_types import Ge, Le
from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from authcenter.settings.boot import SECRETS, BootSettings, variable
from authcenter.settings.policy import Policy

_WIDTH = 110

_HEAD = """\
# Every setting of authcenter with its default. Generated: python -m authcenter.settings.reference
#
# Boot settings (need a restart): environment variables, or the same names in lower case, with or without authcenter_,
# in a YAML file given by --settings. The environment wins. Lists are comma separated.
# Those marked [_FILE] may also be given as ..._FILE, the path of a file that holds the value.
"""

_POLICY_HEAD = """\
# Hot policy (no restart): config/policy.yaml names only what differs from what follows.
# A document that does not validate is refused as a whole, and the last good one stays in force.
"""


def reference_text() -> str:
    """The whole text; as YAML it is the default policy."""
    policy = Policy()
    lines = [*_HEAD.splitlines(), "#", *_boot(), "", *_POLICY_HEAD.splitlines()]
    for name, field in Policy.model_fields.items():
        lines += ["", *_section(name, field, getattr(policy, name))]
    return "\n".join(lines) + "\n"


def _boot() -> Iterator[str]:
    for name, field in BootSettings.model_fields.items():
        yield f"# {variable(name)}={_boot_default(field.default)}"
        marks = ["[_FILE]"] if name in SECRETS else []
        yield from _comment(" ".join([field.description or "", *marks]), indent="", hang="    ")


def _boot_default(default: Any) -> str:
    if isinstance(default, SecretStr):
        return default.get_secret_value()
    return "" if default is None else str(default)


def _section(name: str, field: FieldInfo, value: Any) -> Iterator[str]:
    if not isinstance(value, BaseModel):
        yield from _comment(field.description or "", indent="")
        yield f"{name}: {json.dumps(value)}"
        return
    yield from _comment((type(value).__doc__ or "").strip(), indent="")
    yield f"{name}:"
    defaults = value.model_dump(mode="json")
    for key, each in type(value).model_fields.items():
        yield from _comment(_meaning(each), indent="  ")
        # JSON is YAML, and leaves no doubt about what is text: "off" stays a word.
        yield f"  {key}: {json.dumps(defaults[key])}"


def _meaning(field: FieldInfo) -> str:
    extra = field.json_schema_extra
    unit = str(extra["unit"]) if isinstance(extra, dict) and "unit" in extra else ""
    least = [str(each.ge) for each in field.metadata if isinstance(each, Ge)]
    most = [str(each.le) for each in field.metadata if isinstance(each, Le)]
    bounds = f"{least[0]}..{most[0]}" if least and most else " | ".join(_choices(field.annotation))
    limits = " ".join(filter(None, (bounds, unit)))
    return f"{field.description} ({limits})" if limits else str(field.description)


def _choices(annotation: Any) -> tuple[str, ...]:
    if annotation is bool:
        return ("false", "true")
    if get_origin(annotation) is Literal:
        return tuple(str(each) for each in get_args(annotation))
    return ()


def _comment(text: str, indent: str, hang: str = "") -> Iterator[str]:
    for line in wrap(text, _WIDTH - len(indent)):
        yield f"{indent}# {hang}{line}"


if __name__ == "__main__":
    sys.stdout.write(reference_text())
