"""Curves and bars of a result, as SVG or PNG by the file's suffix; needs matplotlib (the group `bench`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

WIDTH, HEIGHT = 4.5, 3.2  # inches, of each panel


def curves(path: Path, title: str, xs: Sequence[float], panels: Mapping[str, Sequence[float]], x: str) -> None:
    """One panel a measure over xs, both axes logarithmic: a straight line at 45 degrees grows in proportion."""
    figure, axes = _panels(len(panels))
    for axis, (name, values) in zip(axes, panels.items(), strict=True):
        axis.plot(xs, values, marker="o")
        axis.set(xscale="log", yscale="log", xlabel=x, title=name)
        axis.grid(visible=True, which="both", alpha=0.3)
    _saved(figure, path, title)


def bars(path: Path, title: str, names: Sequence[str], panels: Mapping[str, Sequence[float]]) -> None:
    """One panel a measure, a bar for each name."""
    figure, axes = _panels(len(panels))
    for axis, (name, values) in zip(axes, panels.items(), strict=True):
        axis.barh(list(names), list(values))
        axis.set(title=name)
        axis.invert_yaxis()
    _saved(figure, path, title)


def _panels(count: int):  # type: ignore[no-untyped-def]  # noqa: ANN202 - matplotlib's, which may not be there
    from matplotlib.figure import Figure  # noqa: PLC0415 - it takes a second, and only plots need it

    figure = Figure(figsize=(WIDTH * count, HEIGHT), layout="constrained")
    return figure, figure.subplots(1, count, squeeze=False)[0]


def _saved(figure, path: Path, title: str) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001 - the same
    figure.suptitle(title)
    figure.savefig(path)
