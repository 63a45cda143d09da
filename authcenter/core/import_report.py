"""What became of a file of clients or users."""

from dataclasses import dataclass

from authcenter.core.json_lines import Problem


@dataclass(frozen=True, slots=True)
class ImportReport:
    """The outcome of an import.

    Attributes:
        created: How many were made; in a dry run, would be.
        skipped: How many were there already and were left as they are.
        problems: Why the other lines were not imported, in the order of the file.
    """

    created: int
    skipped: int
    problems: tuple[Problem, ...]

    @property
    def failed(self) -> int:
        """How many lines have problems."""
        return len({problem.line for problem in self.problems})
