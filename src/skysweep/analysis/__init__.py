"""Analysis: edges that follow by a pattern (`derive`), what the internet reaches (`expose`), and `QUESTIONS` to ask."""

from __future__ import annotations

from skysweep.analysis.derived import derive
from skysweep.analysis.exposure import Counts, expose
from skysweep.analysis.questions import QUESTIONS, Question

__all__ = ["QUESTIONS", "Counts", "Question", "derive", "expose"]
