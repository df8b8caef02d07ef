"""Sections about errors: on entries that were held out, in what is left over, and in the entries themselves."""

import numpy as np

from rankscape.estimators.completion.trust.cautions import WORDS
from rankscape.reports.residuals import residual_panels, root_mean_square, safe_std, worst
from rankscape.reports.sections import Section, Table
from rankscape.reports.subject import Subject
from rankscape.reports.words import comparison, count, digits

# Most columns whose errors are listed one by one.
COLUMNS = 40

# Entries that look wrong which are listed.
LISTED = 10


def errors(subject: Subject) -> Section:
    """Errors on held-out and hidden entries, beside those of simple rules."""
    done, hidden = subject.completed, subject.hidden_rmse()
    errors = [] if done.heldout_rmse is None else [("this model", done.heldout_rmse)]
    errors += [(WORDS[name], error) for name, error in done.certificate.baselines.items()]
    errors.sort(key=lambda pair: pair[1])
    units = "" if done.scaling.uniform else f", in {done.units}"
    text = (
        [f"Root mean square errors on entries that were held out while the rank was chosen{units}."] if errors else []
    )
    if hidden is not None and subject.hidden is not None:
        text.append(
            f"On {count(len(subject.hidden.values), 'entry')} that were hidden from everything, the final model has an "
            f"RMSE of {digits(hidden)}{done.scaling.suffix}."
        )
    largest = max((error for _, error in errors), default=0.0) or 1.0
    told = [[name, digits(error)] for name, error in errors]
    table = Table(["prediction", f"RMSE{done.scaling.short}"], told, [error / largest for _, error in errors])
    return Section(comparison(done), text, tables=[table, *_column_errors(subject)] if errors else [])


def _column_errors(subject: Subject) -> list[Table]:
    """Of a table with few columns each one's error beside its spread, both in its own units."""
    done, errors = subject.completed, subject.completed.column_errors
    if subject.image or len(errors) > COLUMNS or np.isnan(errors).all():
        return []
    seen = done.observed
    spread = [safe_std(seen.values[seen.columns == j]) for j in range(len(errors))]
    rows, shares = [], []
    for j, (error, size) in enumerate(zip(errors, spread, strict=True)):
        share = error / size if size > 0 else np.nan
        held = "none held out" if np.isnan(error) else digits(error)
        rows.append([subject.column(j), held, digits(size), "-" if np.isnan(share) else digits(share)])
        shares.append(float(np.clip(np.nan_to_num(share), 0, 1)))
    return [Table(["column", "RMSE in its units", "its spread (sd)", "RMSE over spread"], rows, shares)]


def residuals(subject: Subject) -> Section:
    """What the model leaves over, and where most."""
    done, hidden = subject.completed, subject.hidden
    # Residuals on what was fitted flatter; hidden entries do not, where there are some.
    judged = hidden if hidden is not None and len(hidden.values) else done.observed
    predicted = done.predict(judged.rows, judged.columns, by="positions")
    residual = (judged.values - predicted) / done.scaling.deviation(judged.rows, judged.columns)
    which = "the observed entries, which the model was fitted to" if judged is done.observed else (
        "the entries that were hidden from everything"
    )  # fmt: skip
    largest, size = float(np.abs(residual).max()), done.scaling.unit
    if largest <= 1e-8 * size:
        return Section("Nothing is left over", [f"The largest residual on {which} is {digits(largest)}."])
    rms = root_mean_square(residual)
    units = "" if done.scaling.uniform else f", in {done.units}"
    text = [f"Value minus prediction on {which}{units}; {count(len(residual), 'entry')}."]
    rows = [[f"row {subject.row(i)}", digits(error)] for i, error in worst(judged.rows, residual, done.shape[0])]
    rows += [
        [f"column {subject.column(j)}", digits(error)] for j, error in worst(judged.columns, residual, done.shape[1])
    ]
    tables = [Table(["fits worst", "RMS residual"], rows)] if rows and not subject.image else []
    heading = f"What is left over has a root mean square of {digits(rms)}{done.scaling.suffix}"
    return Section(heading, text, figures=residual_panels(predicted, residual), tables=tables)


def outliers(subject: Subject) -> Section | None:
    """Given values that are far from the model."""
    found = subject.completed.outliers
    if not len(found):
        return None
    rows = [
        [subject.row(i), subject.column(j), digits(value), digits(fitted), digits(far)]
        for i, j, value, fitted, far in zip(
            found.rows[:LISTED], found.columns, found.values, found.fitted, found.deviations, strict=False
        )
    ]
    heading = f"{count(len(found), 'entry')} look{'s' if len(found) == 1 else ''} wrong"
    text = ["Given values that are far from the model; the completed matrix keeps them all the same."]
    return Section(heading, text, tables=[Table(["row", "column", "given", "model", "off by (noise sd)"], rows)])
