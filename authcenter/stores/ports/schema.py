"""What is known of a database's schema."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SchemaState:
    """Migration revisions; ``current`` is None in an empty database."""

    current: str | None
    newest: str

    @property
    def pending(self) -> bool:
        return self.current != self.newest
