"""The Python lines of docs/guide.md, as type checkers see them; `tests/test_typing.py` keeps both in step."""

from typing import assert_type

import numpy as np
import rankscape as rs

rng = np.random.default_rng(0)
truth = rng.normal(size=(80, 3)) @ rng.normal(size=(3, 60))             # rank 3
noisy = truth + 0.1 * rng.normal(size=truth.shape)
X = np.where(rng.random(truth.shape) < 0.4, noisy, np.nan)              # 40% of it is seen

completed = rs.complete(X)
print(completed.rank)                              # 3
print(completed.reason)                            # why this rank, in one sentence

print(completed.path.dataset()[["ridge", "rank", "heldout_rmse"]])   # everything that was tried
place = np.linspace(0, 1, 60)
cusp = np.exp(-8 * abs(place[:, None] - place))                   # decays like a power: every rank is too low
seen = np.where(rng.random(cusp.shape) < 0.6, cusp, np.nan)
smooth = rs.complete(seen)
print(smooth.method, smooth.rank, smooth.depth)    # penalised, about 14, 3

print(smooth.path.dataset()[["depth", "ridge", "rank", "heldout_rmse"]])    # what was compared
walks = np.cumsum(rng.normal(size=(40, 50)), axis=1)              # neighbours along a row are alike, and no rank is low
holes = np.where(rng.random(walks.shape) < 0.7, walks, np.nan)
print(rs.complete(holes).reason)                   # what predicts: interpolation first

def parameters(rank, shape):
    return rank * (sum(shape) - rank)

print(parameters(3, X.shape))                      # 411 of 4,800 entries
print(completed.certificate.oversampling)          # observed entries over that number

errors = {}
for share in (0.15, 0.3, 0.6):
    seen = np.where(rng.random(truth.shape) < share, noisy, np.nan)
    done = rs.complete(seen)
    errors[share] = float(np.sqrt(np.mean((done.fitted - truth) ** 2)))
    print(f"{share:.0%} seen: rank {done.rank}, error {errors[share]:.3f}")

blocks = truth.copy()
blocks[:40, 30:] = blocks[40:, :30] = np.nan                      # two blocks that share neither a row nor a column
apart = rs.complete(blocks)
print(apart.determined.mean(), apart.certificate.warnings)        # half of the cells; which, in words

units = np.array([1.0, 30_000.0, 0.01, 1e6])
draw = np.random.default_rng(1)
table = draw.normal(size=(200, 2)) @ draw.normal(size=(2, 4)) + 0.3 * draw.normal(size=(200, 4))
people = rs.complete(np.where(draw.random(table.shape) < 0.8, table * units, np.nan))
print(people.units)                                # standard deviations of their column
assert_type(people.units, str)
print(people.heldout_rmse)                         # in these units
print(people.column_errors)                        # of each column, in its own

latent = draw.normal(size=(60, 2)) @ draw.normal(size=(2, 40))
counts = draw.poisson(3 * np.exp(0.6 * latent))
visits = np.where(draw.random(counts.shape) < 0.6, counts, np.nan)
rates = rs.complete(visits, values="count")        # or "binary", "ordinal"; --kind count on the command line
print(rates.fitted.min())                          # above zero: expected counts
print(rates.reason)                                # what predicts
exact = 5 + latent + 0.3 * draw.normal(size=latent.shape)
limited = np.where(exact > 4.5, exact, np.nan)     # an instrument that sees nothing below 4.5
below = rs.complete(limited, detection_limit=4.5)
print(below.fitted[np.isnan(limited)].max())       # below 4.5
from rankscape.estimators import DeepMatrixCompletion

model = DeepMatrixCompletion(random_state=0).fit(X[:70])
new = np.where(rng.random((10, 60)) < 0.4, noisy[70:], np.nan)
filled = model.transform(new)
hidden = np.isnan(new)
error = np.sqrt(np.mean((filled - truth[70:])[hidden] ** 2))
print(error)                                       # below the noise of single entries, 0.1

certificate = completed.certificate
assert_type(certificate.trusted, bool)
print(certificate.trusted)                         # True
print(certificate.heldout_rmse, certificate.baselines)            # against rules that need no factor
print(certificate)                                 # the same in words

from rankscape.reports import explain
print("\n".join(explain(completed)))               # why this rank, how sure, what next

print(completed.expected_error, certificate.expected_std)         # as observations, and its standard error
low, high = completed.interval([0, 1, 2], [5, 6, 7])              # 95 % of new observations of these cells
low, high = completed.interval([0, 1, 2], [5, 6, 7], of="entry")  # the cells themselves, if what is left is noise

X_wrong = X.copy()
X_wrong[np.nonzero(np.isfinite(X_wrong))[0][:3], np.nonzero(np.isfinite(X_wrong))[1][:3]] = 99.0
wrong = rs.complete(X_wrong).outliers
print(wrong.rows, wrong.columns, wrong.values, wrong.fitted)      # the three, the farthest first
denoiser = rs.estimators.DeepMatrixDenoiser()                     # of full matrices
denoiser.fit(truth + rng.standard_t(2, truth.shape))              # heavy tails throughout
print(denoiser.certificate_, len(denoiser.outliers_))
chance = np.random.default_rng(1).normal(size=truth.shape)
nothing = rs.complete(np.where(rng.random(truth.shape) < 0.5, chance, np.nan))
print(nothing.certificate.warnings)

values, errors_of_values = model.predict([0, 1, 2], [5, 6, 7], return_std=True)
print(values, errors_of_values)                    # standard errors of the entries without their noise

u, v = rng.normal(size=80), rng.normal(size=60)
weak = truth + 8 * np.outer(u, v) / (np.linalg.norm(u) * np.linalg.norm(v))      # a fourth direction of size 8
ranks = {}
for noise in (0.1, 0.5):
    seen = np.where(rng.random(truth.shape) < 0.6, weak + noise * rng.normal(size=truth.shape), np.nan)
    ranks[noise] = rs.complete(seen).rank
    print(noise, ranks[noise])                     # 4, then 3: the fourth direction drowns

lab = rs.data.planted()                            # rank 2; its start is a minimum of rank 4
fall = rs.simulate(lab.problem, initialization=rs.Factors(lab.start()), steps=300_000, monitor=rs.RankMonitor(),
                   dynamics=rs.SGD(learning_rate=0.2, ridge=0.4 / len(lab.problem.values)))
print(fall.jumps.values)                           # step, from, to
