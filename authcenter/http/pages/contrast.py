"""Colors that people can read on each other (WCAG 2.2 §1.4.3: text at 4.5 to 1)."""

from dataclasses import dataclass

READABLE = 4.5
_STEPS = 100


@dataclass(frozen=True, slots=True)
class Color:
    """An sRGB color, each part 0 to 255."""

    red: int
    green: int
    blue: int

    @classmethod
    def parse(cls, text: str) -> "Color":
        """``#rrggbb``. Raises ``ValueError``: something else."""
        if len(text) != 7 or text[0] != "#":
            raise ValueError("not #rrggbb")
        return cls(*bytes.fromhex(text[1:]))

    def __str__(self) -> str:
        return f"#{self.red:02x}{self.green:02x}{self.blue:02x}"

    def contrast(self, other: "Color") -> float:
        """Between 1, the same, and 21, black on white."""
        dark, light = sorted((self.luminance, other.luminance))
        return (light + 0.05) / (dark + 0.05)

    def text_on_it(self) -> "Color":
        """White where that can be read on it, else black, which then can."""
        return WHITE if self.contrast(WHITE) >= READABLE else BLACK

    def readable_on(self, ground: "Color", towards: "Color") -> "Color":
        """It, mixed with as little of ``towards`` as makes text of it readable on ``ground``."""
        mixed = (self._mixed(towards, step / _STEPS) for step in range(_STEPS + 1))
        return next((color for color in mixed if color.contrast(ground) >= READABLE), towards)

    def _mixed(self, other: "Color", share: float) -> "Color":
        pairs = ((self.red, other.red), (self.green, other.green), (self.blue, other.blue))
        return Color(*(round(own + (its - own) * share) for own, its in pairs))

    @property
    def luminance(self) -> float:
        """From 0, black, to 1, white."""
        linear = [_linear(part / 255) for part in (self.red, self.green, self.blue)]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)


WHITE, BLACK = Color(255, 255, 255), Color(0, 0, 0)
