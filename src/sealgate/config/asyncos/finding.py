"""What is to be said of a file while it is read."""

from __future__ import annotations

from sealgate.config.asyncos.element import Element, shortened
from sealgate.config.problem import ConfigurationError, Problem


class Findings:
    """Sentences with their places: what refuses the file, what was kept in another form, what was left out."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.changed: list[Problem] = []
        self.left_out: list[Problem] = []

    def problem(self, element: Element, sentence: str) -> None:
        """With one of these nothing of the file is taken."""
        self.problems.append(Problem(element.place, sentence))

    def refused(self, element: Element, name: str, error: ConfigurationError) -> None:
        """A row that the schema does not take, with its name in every sentence."""
        for problem in error.problems:
            said = problem.sentence if name in problem.sentence else f"{shortened(name)!r}: {problem.sentence}"
            self.problem(element, said)

    def change(self, element: Element, sentence: str) -> None:
        """It is taken, and not quite as it stands."""
        self.changed.append(Problem(element.place, sentence))

    def leave(self, element: Element, sentence: str) -> None:
        """It is not taken."""
        self.left_out.append(Problem(element.place, sentence))


class Seen:
    """Finds rows that stand in a table twice."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._first: dict[str, Element] = {}

    def twice(self, name: str, element: Element) -> bool:
        """Whether this row was there before; if so, that is a problem."""
        first = self._first.setdefault(name.lower(), element)
        if first is element:
            return False
        self._findings.problem(
            element, f"{shortened(name)!r} stands here a second time, after line {first.line}; keep one row"
        )
        return True
