"""Drawing without global state: a matplotlib figure in, SVG for a page or a PNG file out.

Texts and axes of an SVG are drawn in the colour of the text around it, so that one drawing serves
light and dark pages and print.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import StringIO
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's colours for all kinds of colour vision, without the black that a dark page and
# the yellow that a light page would swallow.
PALETTE = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9")
OWN_COLOUR, OTHER_COLOUR = PALETTE[0], "#8C8C8C"

# Stands for "the colour of the text" until the SVG is finished.
INK = "#010203"

PIXELS_AN_INCH = 96
# Of the parts of SVG and PDF files that are images, as journals ask for.
FILE_DPI = 300


@dataclass(frozen=True)
class Margins:
    """Room around the axes for their numbers and names, in CSS pixels.

    Fixed, so that panels side by side line up; numbers too long for it are written with a power
    of ten (`short_numbers`).
    """

    left: int
    right: int
    bottom: int
    top: int


WITH_NUMBERS = Margins(left=62, right=12, bottom=42, top=18)
BARS_ONLY = Margins(left=16, right=8, bottom=24, top=4)


@contextmanager
def plain_style() -> Iterator[None]:
    """Draw with matplotlib's own defaults, whatever the user's are, and put those back."""
    import matplotlib

    with matplotlib.rc_context(), warnings.catch_warnings():
        # A name in a script the drawing font lacks: the browser has fonts of its own.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(
            {
                "font.size": 9,
                "axes.titlesize": 9,
                "axes.labelcolor": INK,
                "axes.edgecolor": INK,
                "axes.linewidth": 0.6,
                "axes.spines.top": False,
                "axes.spines.right": False,
                "text.color": INK,
                "text.parse_math": False,
                "xtick.color": INK,
                "ytick.color": INK,
                "xtick.labelsize": 8,
                "ytick.labelsize": 8,
                "svg.fonttype": "none",
                "svg.hashsalt": "crossplate",
            }
        )
        yield


def short_numbers(ax: Axes) -> None:
    """Few numbers on the axes, and none that does not fit into `WITH_NUMBERS`."""
    ax.locator_params(nbins=5)
    ax.ticklabel_format(style="sci", scilimits=(-3, 4))


def svg(
    paint: Callable[[Axes], None],
    *,
    width: int,
    height: int,
    margins: Margins,
    name: str,
    alt: str,
) -> Markup:
    """Paint one panel and return it as an SVG element to put into a page.

    Parameters
    ----------
    paint
        Draws on the axes it is given.
    width, height
        Size in CSS pixels; in a narrower column it shrinks.
    margins
        Around the axes.
    name
        Unique in the page; keeps the inner references of its figures apart.
    alt
        Text for those who do not see the figure.
    """
    import matplotlib
    from matplotlib.figure import Figure

    with plain_style():
        matplotlib.rcParams["svg.hashsalt"] = name
        figure = Figure(figsize=(width / PIXELS_AN_INCH, height / PIXELS_AN_INCH))
        inside = (
            margins.left / width,
            margins.bottom / height,
            1 - (margins.left + margins.right) / width,
            1 - (margins.top + margins.bottom) / height,
        )
        paint(figure.add_axes(inside))
        written = StringIO()
        # Twice the pixels of the screen for the parts that are drawn as an image.
        figure.savefig(
            written,
            format="svg",
            dpi=2 * PIXELS_AN_INCH,
            transparent=True,
            metadata={"Date": None},
        )
    return _embeddable(written.getvalue(), width, alt)


def save_png(figure: Figure, path: str | PathLike[str]) -> None:
    """Write a figure, made within `plain_style`, on white and at twice the screen's resolution."""
    figure.savefig(path, format="png", dpi=2 * PIXELS_AN_INCH, facecolor="white")


def save_vector(figure: Figure, stem: str | PathLike[str]) -> None:
    """Write SVG and PDF whose letters need no font of the reader's; called in `plain_style`."""
    import matplotlib

    matplotlib.rcParams.update({"svg.fonttype": "path", "pdf.fonttype": 42})
    path = Path(stem)
    for ending, metadata in ((".svg", {"Date": None}), (".pdf", {"CreationDate": None})):
        figure.savefig(
            path.with_name(path.name + ending), metadata=metadata, facecolor="white", dpi=FILE_DPI
        )


def _embeddable(document: str, width: int, alt: str) -> Markup:
    """Turn an SVG document into an element that fits a page of either colour scheme."""
    element = document[document.index("<svg") :]
    # Names of drawing parts repeat from figure to figure; what refers to an id is no <g>.
    element = re.sub(r"<metadata>.*?</metadata>", "", element, flags=re.DOTALL)
    element = re.sub(r"<style type=\"text/css\">.*?</style>", "", element, flags=re.DOTALL)
    element = re.sub(r"<g id=\"[^\"]*\"", "<g", element)
    element = element.replace(INK, "currentColor")
    opening, _, rest = element.partition(">")
    found = re.search(r"viewBox=\"[^\"]*\"", opening)
    view = found[0] if found else ""
    attributes = (
        f'<svg {view} class="plot" role="img" aria-label="{escape(alt)}" style="width:{width}px"'
        ' xmlns:xlink="http://www.w3.org/1999/xlink"'
    )
    return Markup(f"{attributes}>{rest}")
