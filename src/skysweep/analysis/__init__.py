"""Analysis of the graph: what the internet reaches (`expose`), and questions worth asking of it (`QUESTIONS`)."""

from __future__ import annotations

from skysweep.analysis.exposure import Counts, expose
from skysweep.analysis.questions import QUESTIONS, Question

__all__ = ["QUESTIONS", "Counts", "Question", "expose"]
