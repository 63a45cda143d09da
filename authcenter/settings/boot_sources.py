"""Where boot settings are written: environment, secret files, the settings file. Knows names, not meanings."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from authcenter.settings.document import MAX_BYTES, DocumentError, parse_document
from authcenter.settings.wording import suggestion

PREFIX = "AUTHCENTER_"

# Kubernetes sets these for every Service whose name begins with "authcenter"; nobody wrote them.
_SERVICE_LINK = re.compile(r"_SERVICE_(HOST|PORT)(_[A-Z0-9_]+)?$|_PORT_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?$")
_SERVICE_ADDRESS = re.compile(r"(tcp|udp|sctp)://")


@dataclass(frozen=True, slots=True)
class Written:
    """A value and the name by which its writer knows it."""

    value: Any
    origin: str


@dataclass(slots=True)
class Gathered:
    """What was found, by field, and what was wrong already with finding it."""

    written: dict[str, Written] = field(default_factory=dict)
    unreadable: set[str] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)


def gather(
    file: Path | None, environ: Mapping[str, str], fields: Collection[str], also_as_file: Collection[str]
) -> Gathered:
    """Read all places; the environment wins over the settings file.

    Args:
        file: The settings file, or None.
        environ: The environment; nothing but its ``AUTHCENTER_`` variables is looked at.
        fields: Every known field.
        also_as_file: The fields that may be given as ``..._file``, the path of a file with the value.
    """
    found = Gathered()
    names = {*fields, *(f"{name}_file" for name in also_as_file)}
    above = _environment_values(environ, names, found.problems)
    below = _file_values(file, names, found.problems)
    found.written |= _with_secret_files(above, also_as_file, found)
    # What the environment decides is left unread below: the mounts of an example file need not exist.
    decided = {*found.written, *found.unreadable}
    below = {name: written for name, written in below.items() if _field(name, also_as_file) not in decided}
    found.written |= _with_secret_files(below, also_as_file, found)
    return found


def _field(name: str, also_as_file: Collection[str]) -> str:
    field = name.removesuffix("_file")
    return field if field in also_as_file else name


def _environment_values(environ: Mapping[str, str], names: set[str], problems: list[str]) -> dict[str, Written]:
    values = {}
    for variable, value in environ.items():
        if not variable.upper().startswith(PREFIX):
            continue
        name = variable.removeprefix(PREFIX).lower()
        if variable == variable.upper() and name in names:
            values[name] = Written(value, variable)
        elif not _SERVICE_LINK.search(variable) and not _SERVICE_ADDRESS.match(value):
            known = {PREFIX + each.upper() for each in names}
            problems.append(f"{ascii(variable)[1:-1]}: unknown variable{suggestion(variable.upper(), known)}")
    return values


def _file_values(file: Path | None, names: set[str], problems: list[str]) -> dict[str, Written]:
    if file is None:
        return {}
    values: dict[str, Written] = {}
    for key, value in _mapping(file, problems):
        name = key.removeprefix(PREFIX.lower())
        if name not in names:
            problems.append(f"{ascii(key)[1:-1]} in {file}: unknown setting{suggestion(name, names)}")
        elif name in values:
            problems.append(f"{name} in {file}: given twice, with and without {PREFIX.lower()}")
        else:
            values[name] = Written("" if value is None else value, f"{name} in {file}")
    return values


def _mapping(file: Path, problems: list[str]) -> Iterator[tuple[str, Any]]:
    try:
        values = parse_document(read_small_file(file))
    except (OSError, ValueError) as error:
        problems.append(f"{file}: cannot be read: {_cause(error)}")
    except DocumentError as error:
        problems.append(f"{file}: the document is refused: {error}")
    else:
        if values is not None and not isinstance(values, dict):
            problems.append(f"{file}: must be a mapping of settings")
        elif values is not None:
            yield from values.items()


def _with_secret_files(
    values: dict[str, Written], also_as_file: Collection[str], found: Gathered
) -> dict[str, Written]:
    """Replace each ``..._file`` by what the file says. Empty is not given, as compose files write it."""
    resolved = {name: written for name, written in values.items() if _field(name, also_as_file) not in also_as_file}
    for name in also_as_file:
        direct, path = values.get(name), values.get(f"{name}_file")
        if path is None or path.value == "":
            resolved |= {name: direct} if direct is not None else {}
        elif direct is not None and direct.value != "":
            found.unreadable.add(name)
            found.problems.append(f"{direct.origin}: must not be given together with {path.origin}")
        else:
            resolved |= _secret(name, path, found)
    return resolved


def _secret(name: str, path: Written, found: Gathered) -> dict[str, Written]:
    try:
        text = read_small_file(Path(path.value)).removesuffix("\n").removesuffix("\r")
        problem = "" if text else "the file is empty"
    except (OSError, ValueError, TypeError) as error:
        text, problem = "", f"cannot be read: {_cause(error)}"
    if problem:
        found.unreadable.add(name)
        found.problems.append(f"{path.origin}: {problem} ({str(path.value)!a:.200})")
        return {}
    return {name: Written(text, path.origin)}


def read_small_file(file: Path) -> str:
    """The text of a regular file of at most 1 MiB.

    Raises:
        OSError: It cannot be read.
        ValueError: It is something else than a file, too large, or not UTF-8.
    """
    if file.exists() and not file.is_file():
        raise ValueError("not a file")
    with file.open("rb") as stream:
        content = stream.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise ValueError(f"larger than {MAX_BYTES} bytes")
    return content.decode()


def unreadable(file: Path) -> str:
    """Why a file cannot be read; empty where it can."""
    try:
        with file.open("rb"):
            return ""
    except OSError as error:
        return _cause(error)


def _cause(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return "not UTF-8"
    return getattr(error, "strerror", None) or str(error)
