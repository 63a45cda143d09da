"""QR codes as images."""

from io import BytesIO

import segno

_MASK = 2
"""Any of the eight can be read; to look for the prettiest takes four times as long."""
_SCALE = 8


def qr_svg(text: str) -> bytes:
    """``text`` as an SVG image, dark on white in either colour scheme: some readers know no other."""
    drawn = segno.make_qr(text, error="m", boost_error=False, mask=_MASK)
    svg = BytesIO()
    drawn.save(svg, kind="svg", scale=_SCALE, light="#fff", xmldecl=False)
    return svg.getvalue()
