"""The scikit-learn face of denoising: gradient descent, stopped while only what exceeds the noise is learned."""

from typing import Any, NamedTuple, Self

import numpy as np
import xarray as xr
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from rankscape.errors import InputError
from rankscape.estimators.denoising.certificate import DenoisingCertificate, doubts
from rankscape.estimators.denoising.early_stop import learned, stop_time, tuned_alpha
from rankscape.estimators.denoising.noise import hard_threshold, misfit, noise_edge, noise_level
from rankscape.ground.checks import nonnegative, positive, whole
from rankscape.ground.linalg import thin_svd
from rankscape.ground.types import ArrayLike
from rankscape.run.outcome import Outcome
from rankscape.theory import Plateau, plateaus, step_limit
from rankscape.theory.inputs import Start

# Learning rate over the monotone limit.
SHARE = 0.05

# Steps of the path that are kept.
RECORDS = 24


class SignedModes(NamedTuple):
    """A matrix as ``left diag(values) right^T``, the largest modulus first; values are signed if it is symmetric."""

    left: np.ndarray
    values: np.ndarray
    right: np.ndarray


class DeepMatrixDenoiser(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    r"""Denoise a matrix by gradient descent on a deep factorization of it, stopped early.

    Descent on :math:`\tfrac12\|W_N \cdots W_1 - X\|_F^2` from a small start learns the directions of X one after the
    other, the largest first (Chou, Gieshoff, Maly, Rauhut 2024). It is stopped where a direction of the size of the
    hard threshold :math:`\tau` of Gavish and Donoho would be half learned: this is the size at which one half is the
    best multiple, larger ones hold more signal than noise. When theory guarantees a plateau of that rank, the stop lies
    in it.

    A symmetric matrix whose negative directions are all noise starts from multiples of the identity, which learn its
    positive part; an indefinite one from the perturbed identity with :math:`\beta = \alpha`, which learns both signs
    alike; any other matrix along its singular vectors. Each direction then evolves alone, so nothing is iterated.

    Parameters
    ----------
    depth : int
        Number of factors N, at least 2; deeper ones separate sizes more sharply for the same start.
    noise : float, optional
        Standard deviation of the noise of an entry (above the diagonal, if X is symmetric). By default it is read off
        the median singular value.
    alpha : float, optional
        Scale of the start in multiples of :math:`\tau^{1/N}`; by default such that a direction at the edge of the
        noise is learned to a tenth.

    Attributes
    ----------
    rank_ : int
        Directions of which more than half was learned.
    noise_, threshold_ : float
        Level of the noise, and the size at which a direction is half learned.
    singular_values_ : ndarray, shape (rank_,)
        Of the result, descending.
    components_ : ndarray, shape (rank_, n_features)
        Its right singular vectors.
    start_ : {"identical", "perturbed", "singular vectors"}
        Where descent starts.
    alpha_, learning_rate_ : float
        Of descent on X itself.
    n_iter_, stop_step_ : int
        Steps until the stop.
    plateau_ : Plateau or None
        What theory guarantees for this rank, in steps; None for rank 0.
    path_ : xarray.Dataset
        Dims ``step`` and ``mode``: ``learned`` and ``effective_rank`` of the product; ``target``, what X holds.
    outcome_ : Outcome
        ``STOPPED``.
    certificate_ : DenoisingCertificate
        Whether to trust the result, in numbers and words.
    n_features_in_, feature_names_in_
        As everywhere in scikit-learn.

    Examples
    --------
    >>> import numpy as np
    >>> from rankscape.estimators import DeepMatrixDenoiser
    >>> rng = np.random.default_rng(0)
    >>> clean = np.outer(rng.normal(size=60), rng.normal(size=40))
    >>> model = DeepMatrixDenoiser()
    >>> denoised = model.fit_transform(clean + 0.5 * rng.normal(size=clean.shape))
    >>> model.rank_, round(model.noise_, 1)
    (1, 0.5)
    >>> bool(np.linalg.norm(denoised - clean) < 0.2 * np.linalg.norm(clean))
    True

    References
    ----------
    .. [chou2024] Chou, Gieshoff, Maly, Rauhut, "Gradient descent for deep matrix factorization: Dynamics and implicit
       bias towards low rank", Applied and Computational Harmonic Analysis 68 (2024).
    .. [gavish2014] Gavish, Donoho, "The optimal hard threshold for singular values is 4/sqrt(3)", IEEE Transactions on
       Information Theory 60 (2014).
    """

    def __init__(self, depth: int = 3, noise: float | None = None, *, alpha: float | None = None):
        self.depth = depth
        self.noise = noise
        self.alpha = alpha

    def fit(self, X: ArrayLike, y: None = None) -> Self:
        """Learn the directions of X that exceed its noise.

        Parameters
        ----------
        X : array_like, shape (n_samples, n_features)
            The noisy matrix; every entry is known.
        y : None
            Ignored.

        Raises
        ------
        InputError
            An entry is missing or infinite, or a parameter cannot be used.
        """
        depth = whole("depth", self.depth, least=2, most=100)
        given = None if self.noise is None else nonnegative("noise", self.noise)
        X = self._checked(X, reset=True)
        eps = np.finfo(X.dtype).eps
        X = X.astype(np.float64)
        symmetric = X.shape[0] == X.shape[1] and bool(np.abs(X - X.T).max() <= 8 * eps * np.abs(X).max())
        modes = _modes(X, symmetric)
        size = np.abs(modes.values)
        rounding = eps * max(X.shape) * size[0]
        estimated = noise_level(size, X.shape)
        self.noise_ = estimated if given is None else given
        unit = self.threshold_ = max(hard_threshold(self.noise_, X.shape), rounding) or 1.0
        edge = noise_edge(1.0, X.shape) / hard_threshold(1.0, X.shape)
        alpha = tuned_alpha(depth, edge) if self.alpha is None else positive("alpha", self.alpha)
        self._descend(modes, symmetric, Start(depth, alpha), unit)
        self._certify(X, modes, estimated)
        return self

    def _descend(self, modes: SignedModes, symmetric: bool, start: Start, unit: float) -> None:
        """Start, path and stop; the target is in multiples of the threshold."""
        target, N = modes.values / unit, start.depth
        if not symmetric:
            self.start_ = "singular vectors"
        elif target.min() > -1:
            self.start_ = "identical"
        else:
            self.start_, start = "perturbed", Start(N, start.alpha, start.alpha)
        if start.product >= 0.5:
            raise InputError(f"`alpha` must be below 0.5^(1/depth) = {0.5 ** (1 / N):.3g}, got {start.alpha:g}.")
        rate = SHARE * step_limit(target, N, start.alpha, start.beta).value
        stop = int(np.ceil(stop_time(start) / rate))
        positive_only = start.beta is None
        size = target if positive_only else np.abs(target)
        self.rank_ = int(np.count_nonzero(size > 1))
        self.plateau_ = self._plateau(target, start, rate)
        if self.plateau_ is not None and self.plateau_.guaranteed:
            assert self.plateau_.start is not None
            stop = max(self.plateau_.start, stop if self.plateau_.end is None else min(stop, self.plateau_.end))
        # Without noise the threshold is rounding, and the number of steps may exceed any integer type.
        steps = np.unique(np.append(np.geomspace(1.0, float(stop), RECORDS).round(), [0.0, float(stop)]))
        path = learned(start, target, steps * rate)
        # A direction smaller than the start is not raised to it.
        share = np.divide(path[-1], target, out=np.zeros_like(target), where=target != 0).clip(0, 1)
        self._right, self._share = modes.right, share
        kept = np.argsort(-np.abs(share * modes.values), kind="stable")[: self.rank_]
        self.singular_values_ = np.abs(share * modes.values)[kept]
        self.components_ = modes.right.T[kept]
        self.alpha_, self.learning_rate_ = start.alpha * unit ** (1 / N), rate * unit ** (2 / N - 2)
        self.n_iter_ = self.stop_step_ = stop
        self.outcome_ = Outcome.STOPPED
        moduli = np.abs(path)
        ranks = moduli.sum(axis=1) / np.maximum(moduli.max(axis=1), 1e-300)
        self.path_ = xr.Dataset(
            {"learned": (("step", "mode"), unit * path), "effective_rank": ("step", ranks)},
            {"step": steps.astype(np.int64) if stop < 2**53 else steps, "target": ("mode", modes.values)},
        )

    def _plateau(self, target: np.ndarray, start: Start, rate: float) -> Plateau | None:
        if not self.rank_:
            return None
        return plateaus(target, start.depth, start.alpha, rate, start.beta)[self.rank_ - 1]

    def _certify(self, X: np.ndarray, modes: SignedModes, estimated: float) -> None:
        size = np.where(modes.values < 0, self.start_ != "identical", 1) * np.abs(modes.values)
        kept, left = np.sort(size)[::-1][: self.rank_], np.sort(size)[::-1][self.rank_ :]
        largest = float(left[0]) if len(left) else 0.0
        edge = noise_edge(self.noise_, X.shape)
        removed = X - X @ self._map()
        removed = removed - removed.mean()
        spread = float(np.mean(removed**2))
        kurtosis = float(np.mean(removed**4)) / spread**2 - 3 if spread > 1e-24 * float(np.mean(X**2)) else 0.0
        which = np.argsort(-size, kind="stable")[: self.rank_]
        peaks = (np.abs(modes.left[:, which]).max(axis=0) * np.abs(modes.right[:, which]).max(axis=0)) ** 2
        plateau, moduli = self.plateau_, np.abs(modes.values)
        facts = DenoisingCertificate(
            rank=self.rank_,
            noise=self.noise_,
            estimated_noise=estimated,
            kept_margin=float(kept[-1]) / self.threshold_ if len(kept) else np.inf,
            left_margin=largest / self.threshold_,
            edge_margin=largest / edge if edge else 0.0,
            guaranteed=plateau is not None and plateau.guaranteed,
            misfit=misfit(moduli, int(np.count_nonzero(moduli > self.threshold_)), estimated, X.shape),
            kurtosis=kurtosis,
            spike=float(peaks.max(initial=0.0)),
            modes=len(moduli),
        )
        self.certificate_ = facts.judged(doubts(facts, X.size))

    def _map(self) -> np.ndarray:
        """What takes X to the result, from the right."""
        return (self._right * self._share) @ self._right.T

    def transform(self, X: ArrayLike) -> np.ndarray:
        """Denoise rows: each is projected onto the learned directions, with the share that was learned of each.

        The matrix that was fitted becomes the stopped product itself. New rows must carry noise of the same level;
        their own directions are not learned. The precision of X is kept.
        """
        check_is_fitted(self)
        X = self._checked(X, reset=False)
        return (X.astype(np.float64) @ self._map()).astype(X.dtype, copy=False)

    def _checked(self, X: Any, reset: bool) -> np.ndarray:
        """Check X with scikit-learn; what is not finite is refused with its position."""
        matrix = np.asarray(
            validate_data(self, X, reset=reset, dtype=[np.float64, np.float32], ensure_all_finite=False)
        )
        if not np.isfinite(matrix).all():
            row, column = np.argwhere(~np.isfinite(matrix))[0]
            missing = bool(np.isnan(matrix[row, column]))
            hint = "DeepMatrixCompletion fills missing entries" if missing else "every entry must be finite"
            raise InputError(f"X holds {'NaN' if missing else 'inf'} at row {row}, column {column}; {hint}.")
        return matrix

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _modes(X: np.ndarray, symmetric: bool) -> SignedModes:
    if not symmetric:
        U, s, Vt = thin_svd(X)
        return SignedModes(U, s, Vt.T)
    values, V = np.linalg.eigh((X + X.T) / 2)
    order = np.argsort(-np.abs(values), kind="stable")
    return SignedModes(V[:, order], values[order], V[:, order])
