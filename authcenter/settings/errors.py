"""What this package raises: every problem at once, one line each, never a secret's value."""

from authcenter.core.errors import Unavailable


class SettingsError(Exception):
    """Boot settings that cannot be used. ``problems`` begin with the variable or file key."""

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class PolicyError(Exception):
    """A policy document that cannot be used. ``problems`` begin with the path of the field."""

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class ConsulUnavailable(Unavailable):
    """Consul did not answer, not in time, or refused."""

    def __str__(self) -> str:
        return f"Consul does not answer: {self.hint}"
