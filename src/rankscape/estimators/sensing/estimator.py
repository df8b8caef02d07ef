"""The scikit-learn face of sensing: a matrix from linear measurements of it, without a rank."""

from typing import Any, Literal, Self

import numpy as np
from scipy.sparse.linalg import lsqr
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import check_is_fitted

from rankscape.errors import InputError
from rankscape.estimators.checked import seed_of
from rankscape.estimators.sensing.certificate import SensingCertificate, doubts
from rankscape.estimators.sensing.descent import best_record, descend
from rankscape.estimators.sensing.rank import heldout_squares, meets, smallest_as_good, splits, until_exact
from rankscape.ground.checks import one_of, positive, whole
from rankscape.ground.labelled import Labelled
from rankscape.ground.types import ArrayLike
from rankscape.initialization import AbstractInitialization, Gaussian, Identical
from rankscape.problem import DenseOperators, Sensing
from rankscape.problem.operators.dense import AbstractOperators, OperatorsLike
from rankscape.run.outcome import Outcome
from rankscape.run.trajectory import Trajectory
from rankscape.solvers.least_squares.fixed_rank import RankFit, best_fit, fit_rank, freedom

# Relative decrease at which the fit that is returned has ended.
FINAL = 1e-8

# Scale of a start, of entries of size one, from which its product leaves the range of floats at some depth.
LARGEST = 100.0


class DeepMatrixSensing(RegressorMixin, BaseEstimator):
    r"""Find a matrix from linear measurements :math:`y_k \approx \langle A_k, W\rangle`; no rank is asked.

    Gradient descent on :math:`\tfrac12 \sum_k (\langle A_k, W_N \cdots W_1\rangle - y_k)^2` from a small start learns
    the directions of the matrix one after the other, the largest first (Chou, Gieshoff, Maly, Rauhut 2024). From what
    it has learned, ranks 1, 2, ... are fitted by least squares; the first that meets all measurements is the answer.
    If none does there is noise: descent is repeated without some measurements, until these say that what it learns is
    noise, and the answer is the smallest rank that predicts held-out measurements as well as any other, to within one
    standard error.

    Parameters
    ----------
    depth : int
        Number of factors N, at least 2.
    alpha : float
        Scale of the start, in units in which the largest direction that is seen has size 1.
    initialization : {"gaussian", "identical"}
        Random factors, or multiples of the identity (for matrices that are symmetric and positive).
    validation_fraction : float
        Share of the measurements held out to judge by, between 0 and 1.
    max_iter : int
        Most steps of gradient descent.
    random_state : int, RandomState or None
        Decides the random start and which measurements are held out.

    Attributes
    ----------
    matrix_, coef_ : ndarray, shape (n_out, n_in)
        What was found; two names of one array.
    rank_ : int
        Its rank.
    singular_values_ : ndarray, shape (rank_,)
        Descending.
    components_ : ndarray, shape (rank_, n_in)
        Its right singular vectors.
    path_ : Labelled
        Dims ``step`` and ``index``: ``singular_values``, ``effective_rank``, ``train_rmse``, ``heldout_rmse`` of
        gradient descent. Along ``rank``: ``fit_rmse``, and ``fit_heldout_rmse`` where ranks were compared.
    n_iter_, stop_step_ : int
        Steps of descent, and the one whose directions were used.
    outcome_ : Outcome
        ``CONVERGED`` or ``STEP_LIMIT``, of the last fit to all measurements.
    certificate_ : SensingCertificate
        Whether to trust the matrix, in numbers and words.

    Examples
    --------
    >>> import numpy as np, rankscape as rs
    >>> from rankscape.estimators import DeepMatrixSensing
    >>> W = np.outer([1.0, -2.0, 0.5, 1.0, 3.0, 1.0], [2.0, 1.0, -1.0, 0.0, 1.0, 2.0])
    >>> operators = rs.DenseOperators.gaussian(count=25, shape=W.shape, seed=1)
    >>> model = DeepMatrixSensing().fit(operators, operators.apply(W))
    >>> model.rank_, bool(np.allclose(model.matrix_, W, atol=1e-8))
    (1, True)

    References
    ----------
    .. [chou2024] Chou, Gieshoff, Maly, Rauhut, "Gradient descent for deep matrix factorization: Dynamics and implicit
       bias towards low rank", Applied and Computational Harmonic Analysis 68 (2024).
    """

    def __init__(
        self,
        depth: int = 3,
        *,
        alpha: float = 0.1,
        initialization: Literal["gaussian", "identical"] = "gaussian",
        validation_fraction: float = 0.1,
        max_iter: int = 1500,
        random_state: int | np.random.RandomState | None = 0,
    ):
        self.depth = depth
        self.alpha = alpha
        self.initialization = initialization
        self.validation_fraction = validation_fraction
        self.max_iter = max_iter
        self.random_state = random_state

    def fit(self, operators: OperatorsLike, y: ArrayLike) -> Self:
        """Find the matrix.

        Parameters
        ----------
        operators : array_like, shape (m, n_out, n_in), or a family of operators
            The measurement matrices: stacked, or as `RankOneOperators`, `PauliOperators` or `FunctionOperators`.
        y : array_like, shape (m,)
            What was measured.

        Raises
        ------
        InputError
            Shapes do not match, a value is not finite, or a parameter cannot be used.
        """
        problem, seed = Sensing(operators, y), self._seed()
        depth, start = whole("depth", self.depth, least=2, most=100), self._start(problem.shape)
        unit = _unit(problem)
        scaled = Sensing(problem.operators, problem.measurements / unit)
        folds = splits(scaled, self.validation_fraction, seed)
        most, y = whole("max_iter", self.max_iter, least=1), scaled.measurements
        descent = descend(scaled, depth, start, seed, most)
        starts = [_learned(descent)]
        # Without noise the first rank that meets everything is the answer: nothing has to be held out to judge it.
        fits = until_exact(scaled, starts[0])
        chosen, seen, errors = fits[-1], len(y), [np.array([np.nan])] * len(fits)
        self._exact = meets(scaled, chosen)
        if folds and not self._exact:
            seen = len(folds[0].measurements)
            descent = descend(folds[0], depth, start, seed, most)
            # Both descents are starts of every fit: the second has not followed the noise, the first has seen all.
            starts.append(_learned(descent))
            fits, errors = heldout_squares(folds, scaled, starts, len(fits))
            rank = smallest_as_good(errors)
            chosen = fit_rank(scaled, fits[rank].W, rank, flat=FINAL)
        self._publish(chosen, unit)
        self.path_ = _path(descent, fits, errors, unit, seen, len(y))
        self.n_iter_, self.stop_step_ = int(descent.step[-1]), self.path_.attrs["stop_step"]
        self._certify(scaled, folds, starts, chosen, unit)
        return self

    def _seed(self) -> int:
        return seed_of(self.random_state)

    def _start(self, shape: tuple[int, int]) -> AbstractInitialization:
        alpha = positive("alpha", self.alpha)
        if alpha > LARGEST:
            raise InputError(
                f"`alpha` is {alpha:g}: from a start beyond {LARGEST:g} no descent comes back; 0.1 is usual."
            )
        one_of("initialization", self.initialization, ("gaussian", "identical"))
        if self.initialization == "identical":
            return Identical(alpha)
        return Gaussian(alpha / max(shape) ** 0.5)  # as wide as the larger side: factors of norm about 2 alpha

    # -- what was found ------------------------------------------------------------------------------------

    def _publish(self, chosen: RankFit, unit: float) -> None:
        self.matrix_ = self.coef_ = unit * chosen.W
        self.rank_, self.singular_values_ = len(chosen.s), unit * chosen.s
        self.components_ = chosen.V.T.copy()
        self.outcome_ = Outcome.CONVERGED if chosen.converged else Outcome.STEP_LIMIT

    def _certify(self, problem: Sensing, folds: list[Any], starts: list[np.ndarray], chosen: RankFit, unit: float):
        held, baseline = None, None
        if folds:
            train, heldout = folds[0], folds[0].heldout
            held = unit * _rms(heldout.residual(best_fit(train, [*starts, chosen.W], self.rank_).W))
            least = lsqr(train.operators.as_linear_map(), train.measurements, atol=1e-8, btol=1e-8)[0]
            baseline = unit * _rms(heldout.residual(least.reshape(problem.shape)))
        m, free = len(problem.measurements), freedom(self.rank_, problem.shape)
        spread = unit * _rms(problem.measurements)
        oversampling = m / free if free else np.inf
        facts = SensingCertificate(oversampling, held, baseline, spread, self._exact, chosen.converged)
        self.certificate_ = facts.judged(doubts(facts))

    def predict(self, operators: OperatorsLike) -> np.ndarray:
        """What these operators would measure of the matrix, without noise."""
        check_is_fitted(self)
        family = operators if isinstance(operators, AbstractOperators) else DenseOperators(operators)
        if family.shape != self.matrix_.shape:
            raise InputError(f"The operators measure matrices of shape {family.shape}, not {self.matrix_.shape}.")
        return family.apply(self.matrix_)


def _unit(problem: Sensing) -> float:
    """The size of the matrix: of the largest direction of the back projection, as if ``A^* A`` were the identity."""
    operators = problem.operators
    probe = np.random.default_rng(0).standard_normal(problem.shape)
    seen = operators.apply(probe)
    size = float(np.linalg.norm(operators.adjoint(problem.measurements), 2))
    return size * float((probe**2).sum() / max(seen @ seen, 1e-300)) or 1.0


def _rms(values: np.ndarray) -> float:
    return float(np.sqrt(np.mean(values**2)))


def _learned(descent: Trajectory) -> np.ndarray:
    return descent.products.values[best_record(descent)]


def _path(
    descent: Trajectory, fits: list[RankFit], errors: list[np.ndarray], unit: float, seen: int, m: int
) -> Labelled:
    records = descent.dataset
    rmse = lambda squares, number: unit * np.sqrt(squares / max(number, 1))
    column = lambda name: records[name].values if name in records else np.full(records.sizes["step"], np.nan)
    heldout = np.full(len(fits), np.nan)
    heldout[: len(errors)] = [e.mean() for e in errors]
    spectra, by_step, by_rank = unit * column("singular_values"), ("step",), ("rank",)
    return Labelled(
        {
            "singular_values": (("step", "index"), spectra),
            "effective_rank": (by_step, column("effective_rank")),
            "train_rmse": (by_step, rmse(2 * column("loss"), seen)),
            "heldout_rmse": (by_step, rmse(2 * column("heldout_loss"), m - seen)),
            "fit_rmse": (by_rank, rmse(np.array([fit.squared for fit in fits]), m)),
            "fit_heldout_rmse": (by_rank, rmse(heldout, 1)),
        },
        {"step": records.step.values, "index": np.arange(spectra.shape[1]), "rank": np.arange(len(fits))},
        {"stop_step": int(records.step[best_record(descent)]), "outcome": str(descent.outcome)},
    )
