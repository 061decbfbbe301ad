"""The page's plots: small SVGs that take the page's text colour, so that they are legible on light and on dark."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from datetime import datetime

#: Stands for the text's colour until the SVG is written.
_INK = "#010203"
_XLINK = 'xmlns:xlink="http://www.w3.org/1999/xlink"'
#: Legible on white and on near black.
COLOURS = ("#d1495b", "#2f81f7", "#d9822b", "#7d6bd0")

#: Fewer points than this are drawn as points; more are a line anyway, and each would make the page larger.
FEW = 15

Series = Mapping[str, Sequence[tuple[datetime, float]]]


def over_time(name: str, series: Series) -> str:
    """Lines over time from zero upwards. `name` makes the SVG's inner ids its own on the page."""
    ink = dict.fromkeys(("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color"), _INK)
    from matplotlib import rc_context  # here: 30 MB that no process at rest needs
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    with rc_context({"svg.fonttype": "none", "svg.hashsalt": name, "font.size": 10, **ink}):
        figure = Figure(figsize=(4.8, 1.9), layout="constrained")
        axes = figure.add_subplot()
        for colour, (label, points) in zip(COLOURS, series.items(), strict=False):
            days = date2num([at for at, _ in points])
            marker = "o" if len(points) < FEW else None
            axes.plot(days, [value for _, value in points], label=label, color=colour, marker=marker, markersize=3)
        axes.set_ylim(bottom=0)
        axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
        axes.yaxis.set_major_formatter("{x:,.0f}")
        locator = AutoDateLocator(maxticks=6)
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(ConciseDateFormatter(locator, show_offset=False))
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, 1.25), frameon=False, ncols=len(COLOURS))
        out = io.StringIO()
        figure.savefig(out, format="svg", transparent=True, metadata={"Date": None})
    return _of_the_page(out.getvalue())


def _of_the_page(svg: str) -> str:
    """Only the element, in the page's colour and font, as wide as there is room, and without names that repeat."""
    svg = svg[svg.index("<svg") :].replace(_INK, "currentColor")
    svg = re.sub(r"<!--.*?-->|<metadata>.*?</metadata>|<style.*?</style>", "", svg, flags=re.DOTALL)
    svg = re.sub(r' id="(?:figure|patch|axes|line2d|text|xtick|ytick|matplotlib|legend|PathCollection)[^"]*"', "", svg)
    svg = re.sub(r"font-family: [^;\"]*;? ?", "", svg)
    svg = re.sub(r'^<svg [^>]*?(viewBox="[^"]*")[^>]*>', rf'<svg \1 role="img" {_XLINK}>', svg)
    return re.sub(r"\s*\n\s*", "\n", svg)
