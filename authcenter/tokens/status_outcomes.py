"""How what concerns status lists turns out: counted each time, logged when it begins to fail and when it is over."""

from dataclasses import dataclass, field

from authcenter.telemetry.logs import Logger
from authcenter.telemetry.series import CountedSeries


@dataclass(slots=True)
class Outcomes:
    """Attributes:
    right, wrong: Labels of the counter.
    lost, back: Events of the log.
    remedy: What follows from it, for operators.
    """

    counter: CountedSeries
    log: Logger
    right: str
    wrong: str
    lost: str
    back: str
    remedy: str
    _failing: bool = field(default=False, init=False)

    def worked(self) -> None:
        self.counter.count(self.right)
        if self._failing:
            self._failing = False
            self.log.info(self.back)

    def failed(self, hint: str) -> None:
        self.counter.count(self.wrong)
        if not self._failing:
            self._failing = True
            self.log.warning(self.lost, hint=hint, remedy=self.remedy)
