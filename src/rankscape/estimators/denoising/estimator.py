"""The scikit-learn face of denoising: gradient descent, stopped while only what exceeds the noise is learned."""

from typing import Any, Self, get_args

import numpy as np
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from rankscape.entries.given import given_of
from rankscape.errors import InputError
from rankscape.estimators.checked import checked_data, refuse_foreign
from rankscape.estimators.denoising.certificate import certify
from rankscape.estimators.denoising.projection import Projection
from rankscape.estimators.denoising.robust import View, look, wrong_entries
from rankscape.estimators.denoising.trajectory import descend
from rankscape.estimators.losses import LossChoice
from rankscape.ground.checks import nonnegative, one_of, positive, whole
from rankscape.ground.linalg import thin_svd
from rankscape.ground.range import check_scale
from rankscape.ground.types import ArrayLike
from rankscape.run.outcome import Outcome
from rankscape.solvers.noise.shrinkage import Norm

# Sizes of the largest entry whose square, summed, is a float, and not lost.
SCALE = (1e140, 1e-140)


class DeepMatrixDenoiser(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    r"""Denoise a matrix: gradient descent on a deep factorization says which directions, shrinkage how much of each.

    Descent on :math:`\tfrac12\|W_N \cdots W_1 - X\|_F^2` from a small start learns the directions of X one after the
    other, the largest first (Chou, Gieshoff, Maly, Rauhut 2024). Stopped early it has learned those that exceed the
    noise and not yet the others: when theory guarantees a plateau of their number, the stop lies in it. It has learned
    them at their observed size, to which noise contributed, so what is returned holds of each the part that makes the
    expected error smallest:

    - of few directions that stand out, each by itself (Gavish, Donoho 2017),
    - of a spectrum that decays slowly, all by their distances from one another (Ledoit, Wolf 2020), whenever Stein's
      unbiased estimate of the error (Candes, Sing-Long, Trzasko 2013) is lower by more than chance.

    Noise may differ between rows and between columns, as that of counts and of instruments does: where the spectrum is
    not that of equal noise and becomes so by dividing rows and columns (Landa, Kluger 2025), descent and shrinkage see
    the divided matrix. Where it does not become so either, the level of the noise is read off the smallest directions,
    and the certificate says that what was removed may be signal.

    Gross errors and heavy tails lead squares astray. Where what was removed has such tails, every entry is replaced by
    what it says of the signal, given how large noise may be (Perry et al. 2018), and descent and shrinkage see that.
    Where this comes to no end, as in photographs, or what is left is not like noise, X is denoised as it is.

    A symmetric matrix of which no negative direction is kept starts from multiples of the identity, which learn its
    positive part; any other symmetric one from the perturbed identity with :math:`\beta = \alpha`, which learns both
    signs alike; all other matrices along their singular vectors. Each direction then evolves alone, so nothing is
    iterated.

    Parameters
    ----------
    depth : int
        Number of factors N, at least 2; deeper ones separate sizes more sharply for the same start.
    noise : float, optional
        Standard deviation of the noise of an entry (above the diagonal, if X is symmetric; at root mean square, where
        it differs). By default it is read off the singular values; so it is where entries count by how far off they
        are, for no given level holds there.
    loss : {"auto", "squares", "robust"}
        How residuals count. "auto" tries the robust way where their tails are heavy.
    norm : {"frobenius", "operator", "nuclear"}
        The norm of the error that is to be small. For the latter two each direction is shrunk by itself.
    alpha : float, optional
        Scale of the start in multiples of :math:`\tau^{1/N}`, :math:`\tau` the `threshold_`; by default such that a
        direction of which nothing is kept is learned to a tenth at the stop.

    Attributes
    ----------
    rank_ : int
        Directions of which something is kept: the rank of the result.
    noise_ : float
        Level of the noise, as given or as estimated; at root mean square, where it differs. Where entries count by how
        far off they are, that of normal noise which would hide as much.
    row_noise_, column_noise_ : ndarray
        Entry (i, j) has noise of standard deviation ``noise_ * row_noise_[i] * column_noise_[j]``; ones where it is
        the same everywhere.
    outliers_ : Outliers
        Entries that look wrong, the farthest first: ``rows``, ``columns``, ``values``, ``fitted``, ``deviations`` (in
        standard deviations of most of the noise). Where tails are heavy throughout, only what counts for nothing.
    singular_values_ : ndarray, shape (rank_,)
        Of the result, descending.
    components_ : ndarray, shape (rank_, n_features)
        Its right singular vectors.
    start_ : {"identical", "perturbed", "singular vectors"}
        Where descent starts.
    alpha_, learning_rate_, threshold_ : float
        Of descent on X, divided by the noise of its rows and columns: scale of the start, step size, and the size of a
        direction that is half learned at the stop, of which the shrinkage keeps half.
    n_iter_, stop_step_ : int
        Steps until the stop.
    plateau_ : Plateau or None
        What theory guarantees for this rank, in steps; None for rank 0.
    path_ : Labelled
        Arrays by name, ``path_.dataset()`` for xarray.
        Dims ``step`` and ``mode``: ``learned`` and ``effective_rank`` of the product; ``target``, what X holds (divided
        as above); ``kept``, what is kept of it.
    outcome_ : Outcome
        ``STOPPED``.
    certificate_ : DenoisingCertificate
        Whether to trust the result, in numbers and words; ``certificate_.expected_error`` is that of an entry.
    n_features_in_, feature_names_in_
        As everywhere in scikit-learn.

    Examples
    --------
    >>> import numpy as np
    >>> from rankscape.estimators import DeepMatrixDenoiser
    >>> rng = np.random.default_rng(1)
    >>> clean = np.outer(rng.normal(size=90), rng.normal(size=60))
    >>> model = DeepMatrixDenoiser()
    >>> denoised = model.fit_transform(clean + 0.5 * rng.normal(size=clean.shape))
    >>> model.rank_, round(model.noise_, 1)
    (1, 0.5)
    >>> bool(np.linalg.norm(denoised - clean) < 0.2 * np.linalg.norm(clean))
    True

    References
    ----------
    .. [candes2013] Candes, Sing-Long, Trzasko, "Unbiased risk estimates for singular value thresholding and spectral
       estimators", IEEE Transactions on Signal Processing 61 (2013).
    .. [chou2024] Chou, Gieshoff, Maly, Rauhut, "Gradient descent for deep matrix factorization: Dynamics and implicit
       bias towards low rank", Applied and Computational Harmonic Analysis 68 (2024).
    .. [gavish2017] Gavish, Donoho, "Optimal shrinkage of singular values", IEEE Transactions on Information Theory 63
       (2017).
    .. [landa2025] Landa, Kluger, "The Dyson equalizer: adaptive noise stabilization for low-rank signal detection and
       recovery", Information and Inference 14 (2025).
    .. [ledoit2020] Ledoit, Wolf, "Analytical nonlinear shrinkage of large-dimensional covariance matrices", Annals of
       Statistics 48 (2020).
    .. [perry2018] Perry, Wein, Bandeira, Moitra, "Optimality and sub-optimality of PCA I: Spiked random matrix models",
       Annals of Statistics 46 (2018).
    """

    def __init__(
        self,
        depth: int = 3,
        noise: float | None = None,
        *,
        loss: LossChoice = "auto",
        norm: Norm = "frobenius",
        alpha: float | None = None,
    ):
        self.depth = depth
        self.noise = noise
        self.loss: LossChoice = loss
        self.norm: Norm = norm
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

        Warns
        -----
        FallbackWarning
            The noise was given as zero, or as larger than the data; or a robust loss was asked for, and X is not mostly
            noise.
        """
        depth = whole("depth", self.depth, least=2, most=100)
        given = None if self.noise is None else nonnegative("noise", self.noise)
        if given is not None and given > SCALE[0]:
            raise InputError(f"`noise` must be at most {SCALE[0]:g}, got {given:g}.")
        alpha = None if self.alpha is None else positive("alpha", self.alpha)
        loss, norm = self.loss, self.norm
        one_of("norm", norm, get_args(Norm))
        one_of("loss", loss, get_args(LossChoice))
        X = self._checked(X, reset=True)
        view = look(X, given, norm, loss)
        seen, robust = view.seen, view.counting is not None
        way = descend(seen, view.made.kept, depth, alpha)
        self.start_, self.alpha_, self.learning_rate_, self.threshold_ = (
            way.start, way.alpha, way.learning_rate, way.threshold,
        )  # fmt: skip
        self.n_iter_ = self.stop_step_ = way.stop
        self.plateau_, self.path_, self.outcome_ = way.plateau, way.path, Outcome.STOPPED
        self.noise_ = seen.spectrum.noise * seen.scales.unit if given is None or robust else given
        self._keep(view)
        self.outliers_ = wrong_entries(view, X.astype(np.float64))
        guaranteed = way.plateau is not None and way.plateau.guaranteed
        self.certificate_ = certify(view, self.noise_, guaranteed, len(self.outliers_))
        return self

    def _keep(self, view: View) -> None:
        """The result, and what takes X to it from the right."""
        seen, kept = view.seen, view.made.kept
        alive = kept != 0
        left, right = seen.modes.left[:, alive], seen.modes.right[:, alive]
        rows, columns = seen.scales
        self.rank_ = int(alive.sum())
        self.row_noise_, self.column_noise_ = (side / np.sqrt(np.mean(side**2)) for side in (rows, columns))
        # Of U f V^T, its rows and columns multiplied by their scales, through small factors.
        L, (P, R) = np.linalg.qr(left * rows[:, None], mode="r"), np.linalg.qr(right * columns[:, None])
        _, self.singular_values_, inner = thin_svd((L * kept[alive]) @ R.T)
        self.components_ = inner @ P.T
        # The scales of rows cancel: X is divided by them, and the result multiplied.
        shares = kept[alive] / seen.modes.values[alive]
        self._projection = Projection(right, shares, columns, view.counting, seen.scales.differ)

    def transform(self, X: ArrayLike) -> np.ndarray:
        """Denoise rows: each is projected onto the learned directions, with the share that is kept of each.

        The matrix that was fitted becomes the shrunk product itself. New rows must carry noise of the same level (in a
        row, that of the rows may differ); their own directions are not learned. Where entries count by how far off
        they are, so do those of new rows. The precision of X is kept.
        """
        check_is_fitted(self)
        X = self._checked(X, reset=False)
        return self._projection.of(X.astype(np.float64)).astype(X.dtype, copy=False)

    def _checked(self, X: Any, reset: bool) -> np.ndarray:
        """Check X with scikit-learn; what is no number, or not finite, is refused with its position."""
        if isinstance(X, np.ndarray | list):
            refuse_foreign(X)
        elif not issparse(X):
            given_of(X, "X")
        matrix = np.asarray(checked_data(self, X, reset=reset, dtype=[np.float64, np.float32], ensure_all_finite=False))
        if not np.isfinite(matrix).all():
            row, column = np.argwhere(~np.isfinite(matrix))[0]
            missing = bool(np.isnan(matrix[row, column]))
            hint = "DeepMatrixCompletion fills missing entries" if missing else "every entry must be finite"
            raise InputError(f"X holds {'NaN' if missing else 'inf'} at row {row}, column {column}; {hint}.")
        check_scale(matrix, *SCALE)
        return matrix

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
