"""What ``rankscape complete`` found, for people and for machines."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rankscape.cli.outlying import outlying_facts, outlying_words
from rankscape.cli.output import number, share

if TYPE_CHECKING:
    from rankscape.cli.written import Written
    from rankscape.data.source import Source
    from rankscape.estimators import CompletedMatrix
    from rankscape.problem import Completion

# What the baselines are called for people.
BASELINES = {"column_mean": "column mean", "row_column_bias": "row + column bias"}

# Most columns whose errors are listed one by one.
LISTED = 40


@dataclass(frozen=True)
class Result:
    """What the command found, for people and for machines."""

    opened: "Source"
    problem: "Completion"
    hidden: "Completion | None"
    completed: "CompletedMatrix"
    written: "Written"
    seconds: float

    def facts(self) -> dict[str, Any]:
        """Everything, as JSON."""
        done, problem, written = self.completed, self.problem, self.written
        return {
            "source": self.opened.name,
            "read_as": self.opened.table.read_as,
            "shape": list(problem.shape),
            "observed": len(problem.values),
            "rank": done.rank,
            "heldout_rmse": done.heldout_rmse,
            "baselines": done.baselines,
            "units": done.units,
            "scale": done.scaling.kind,
            "column_errors": done.column_errors if len(done.column_errors) <= LISTED else None,
            "hidden": self._hidden_errors(),
            "offset": done.offset,
            "reason": done.reason,
            "method": done.method,
            "certificate": asdict(done.certificate) | {"words": str(done.certificate)},
            "outliers": outlying_facts(done.outliers, self.opened.table),
            "outcome": str(done.outcome),
            "singular_values": done.singular_values,
            "output": _name(written.answer.output),
            "model": _name(written.model),
            "figure": _name(written.picture),
            "report": _name(written.report),
            "seconds": round(self.seconds, 2),
        }

    def _hidden_errors(self) -> dict[str, Any] | None:
        """The error on the entries that were hidden on request: nothing has seen them."""
        hidden = self.hidden
        if hidden is None:
            return None
        return {"entries": len(hidden.values), "rmse": self.completed.rmse(hidden.entries)}

    def rows(self) -> list[tuple[str, str]]:
        """The table for people."""
        done, problem = self.completed, self.problem
        cells = problem.shape[0] * problem.shape[1]
        rows = [
            ("matrix", f"{self.opened.name}, {problem.shape[0]} x {problem.shape[1]}"),
            *([("read as", self.opened.table.read_as)] if self.opened.table.read_as else []),
            ("observed", f"{len(problem.values):,} of {cells:,} entries ({share(len(problem.values) / cells)})"),
            ("rank found", str(done.rank)),
            ("held-out RMSE", f"{number(done.heldout_rmse)}{done.scaling.suffix}"),
        ]
        rows += [(f"  {BASELINES.get(name, name)}", number(value)) for name, value in done.baselines.items()]
        hidden = self._hidden_errors()
        if hidden is not None:
            error = f"{number(hidden['rmse'])}{done.scaling.suffix}"
            rows.append(("hidden RMSE", f"{error}  ({hidden['entries']:,} entries that nothing saw)"))
        rows += [("why", done.reason), ("trust", str(done.certificate))]
        rows += [] if done.scaling.uniform else [("scale", f"entries were divided by the {done.scaling.divisor}")]
        if len(done.outliers):
            rows.append(("look wrong", f"{outlying_words(done.outliers)}; they keep their values"))
        rows += [("offset", done.offset), ("outcome", str(done.outcome))]
        return rows + self.written.rows()


def _name(path: Path | None) -> str | None:
    return None if path is None else str(path)
