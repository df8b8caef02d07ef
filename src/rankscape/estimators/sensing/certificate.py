"""Whether a matrix found from measurements can be trusted: what was measured, and the same in words."""

from dataclasses import dataclass

from rankscape.estimators.certificate import AbstractCertificate

# Oversampling below which several matrices of the rank may fit as well.
FEW_MEASUREMENTS = 1.3


@dataclass(frozen=True)
class SensingCertificate(AbstractCertificate):
    r"""What a sensed matrix rests on.

    Attributes
    ----------
    oversampling : float
        ``m / (r (n_out + n_in - r))``: measurements over the free parameters of the rank; infinite for rank 0.
    heldout_rmse, baseline_rmse : float or None
        On measurements that were held out: of a fit at this rank to the others, and of the matrix of least norm
        that meets them; None when too few to hold any out.
    spread : float
        Root mean square of the measurements.
    exact, converged : bool
        Whether all measurements are met to rounding; whether the last fit ended by its tolerance.
    warnings : tuple of str
        Reasons not to trust the matrix, in words; none when empty.
    """

    subject = "matrix"

    oversampling: float
    heldout_rmse: float | None
    baseline_rmse: float | None
    spread: float
    exact: bool
    converged: bool
    warnings: tuple[str, ...] = ()

    @property
    def evidence(self) -> str:
        """The numbers that matter most, in words."""
        held = "none could be held out"
        if self.heldout_rmse is not None:
            held = f"held-out RMSE {self.heldout_rmse:.4g}, of the least-norm matrix {self.baseline_rmse:.4g}"
        return f"{self.oversampling:.3g} measurements per free parameter; {held}"


def doubts(facts: SensingCertificate):
    """Reasons not to trust a matrix with these facts, one sentence each."""
    if facts.oversampling == float("inf") and facts.spread:
        yield "No low rank explains the measurements better than zero does."
    if facts.oversampling < FEW_MEASUREMENTS:
        yield (
            f"Only {facts.oversampling:.2f} measurements per free parameter: near the information limit, where "
            "another matrix may fit as well."
        )
    if facts.exact:  # more measurements than free parameters, all met: nothing is left to doubt
        return
    if facts.heldout_rmse is None or facts.baseline_rmse is None:
        yield "No measurements could be held out, so the error is not measured."
    else:
        if facts.baseline_rmse < facts.heldout_rmse:
            yield f"The matrix of least norm predicts better ({facts.baseline_rmse:.4g}): do not rely on a low rank."
        if facts.heldout_rmse > 0.7 * facts.spread:
            yield "Measurements that were held out are hardly predicted."
    if not facts.converged:
        yield "The solver stopped at its limit before it converged."
