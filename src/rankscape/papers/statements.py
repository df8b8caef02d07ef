"""From a statement of the papers to the function that computes it, the tests that hold it, the figure that shows it.

`STATEMENTS` is the table; ``python -m rankscape.papers.statements > docs/statements.md`` writes it as a page. Places
are named by subject and not by number, because the versions of a paper count their theorems differently.
"""

import importlib
import inspect
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from rankscape.papers.bibliography import reference

PUBLISHED, DERIVED = "published", "derived here"


@dataclass(frozen=True)
class Statement:
    """One statement.

    Attributes
    ----------
    work : str
        Key of the bibliography.
    place : str
        Where in the paper, by subject.
    text : str
        The statement in one line, in the paper's letters.
    source : str
        Whether this form is `PUBLISHED`, or its constants, or all of it, are `DERIVED` for rankscape.
    functions : str
        Public names below `rankscape`, separated by spaces.
    tests : str
        Files of ``tests/`` without ``test_`` and ``.py``, each with names of tests in brackets.
    figures : str
        Names for `rankscape reproduce`, of the work itself; empty where nothing is drawn.
    """

    work: str
    place: str
    text: str
    source: str
    functions: str
    tests: str
    figures: str = ""

    def nodes(self) -> list[tuple[str, str]]:
        """File and name of each test."""
        parts = [part.split("[") for part in self.tests.replace("]", "").split("; ")]
        return [(f"test_{file}.py", f"test_{name}") for file, names in parts for name in names.split()]


_TABLE = {"chou2024": [
    ("Gradient descent", "From the identical start `W_j = αI` each eigenvalue moves alone: "
     "`d ← d + η d^(N-1) (λ - d^N)`, `p = d^N`", PUBLISHED, "theory.factor_path theory.eigenvalue_path Identical",
     "theory_recursion[reference_trajectories simulation_agrees_in_a_random_basis]; "
     "spectral[eigenvalues_decouple_in_a_random_basis]", "eigenvalues"),
    ("Gradient descent", "From the perturbed start, one factor `(α - β)I`: `a ← a + η a^(N-2) b (λ - p)`, "
     "`b ← b + η a^(N-1) (λ - p)`, `p = a^(N-1) b`", PUBLISHED,
     "theory.factor_path theory.eigenvalue_path PerturbedIdentical",
     "theory_recursion[reference_factors beta_equal_to_alpha_is_odd_in_the_eigenvalue]", "negative-eigenvalues"),
    ("Gradient descent", "The imbalance `δ = a² - b²` shrinks by an exact factor: "
     "`δ ← δ (1 - y²)`, `y = η (λ - p) a^(N-2)`; gradient flow conserves it", DERIVED, "imbalance theory.factor_path",
     "theory_recursion[imbalance_shrinks_by_the_exact_factor]; spectral[the_imbalance_shrinks_by_its_exact_factor]"),
    ("Convergence", "`p → max(λ, 0)` from the identical start, `p → λ` from the perturbed one", PUBLISHED,
     "theory.limit", "theory_bounds[limits]; "
     "spectral[the_identical_start_learns_the_positive_part_and_the_perturbed_one_everything]", "negative-eigenvalues"),
    ("Convergence", "Monotone for `η ≤ 1 / (N λ^(2-2/N))`; for all eigenvalues at once "
     "`η ≤ 1 / (3N max(α, ‖W‖^(1/N))^(2N-2))`", DERIVED, "theory.step_limit",
     "theory_bounds[step_limit_of_each_case monotone_below_the_limits kinds_of_step_limits_are_ordered]",
     "learning-rate"),
    ("Convergence", "Rates: linear with factor `1 - ηN λ^(2-2/N)` for λ > 0; "
     "like `k^(-N/(N-2))` for λ < 0 and N ≥ 3", DERIVED, "theory.rate",
     "theory_bounds[rates_are_those_of_the_recursion]; theory_recursion[decay_of_modes_that_are_not_learned]"),
    ("Times", "Gradient flow `p' = N p^(2-2/N) (λ - p)`: the time to a level in closed form, by the N-th "
     "roots of unity, and its inverse", DERIVED, "theory.flow_time theory.flow_value",
     "theory_flow[reference_times_from_the_identical_start time_inverts_value values_obey_the_differential_equation]",
     "eigenvalues"),
    ("Times", "Two-sided bounds of the step T at which an eigenvalue passes a level: `T_low ≤ T ≤ T_up`, "
     "closing as η → 0", DERIVED, "theory.hitting_time",
     "theory_bounds[bounds_contain_the_exact_time bounds_are_tight_for_small_steps]; "
     "theory_recursion[hitting_times_from_below]", "time-bounds"),
    ("Effective rank", "`r(W) = ‖W‖_* / ‖W‖`", PUBLISHED, "effective_rank",
     "observe[rank_measures_are_their_formulas rank_measures_lie_between_one_and_the_rank]", "effective-rank"),
    ("Effective rank", "For `max_(i≤L) T_up(λ_i - ε) ≤ k < min_(i>L) T_low(ε')` the effective rank is that of "
     "the best approximation `W_L` of rank L, up to an explicit deviation", DERIVED, "theory.plateaus",
     "theory_plateaus[certificates_hold_on_random_spectra guaranteed_plateau_is_the_exact_one "
     "a_simulation_rests_on_the_plateaus]", "effective-rank"),
    ("Effective rank", "After a decrease in the first steps the effective rank rises; what looks different, "
     "and why", DERIVED, "theory.diagnose",
     "theory_design[diagnoses a_sound_setting_has_no_warnings]", "effective-rank"),
    ("Effective rank", "A smaller α lengthens the plateaus; below a critical α there is one of length ℓ",
     DERIVED, "theory.critical_alpha",
     "theory_design[critical_scales longer_plateaus_need_smaller_scales]", "alpha"),
    ("Effective rank", "Depth spreads the speeds `N λ^(2-2/N)`: plateaus last longer", PUBLISHED,
     "theory.plateaus", "theory_design[plateau_length_at_fixed_initial_product]", "depth"),
    ("Effective rank", "A target known up to `‖E‖ ≤ e` keeps its plateaus, shortened (Weyl)", DERIVED,
     "theory.plateaus", "theory_plateaus[certificates_hold_for_noisy_targets noise_shrinks_the_interval]"),
    ("Early stopping", "Stopped within a plateau, W is a denoised matrix of low rank", PUBLISHED,
     "theory.stopping_rule estimators.DeepMatrixDenoiser",
     "theory_design[stop_for_a_rank stop_for_an_effective_rank]; "
     "estimator_denoising[a_clear_matrix_is_trusted_and_stopped_in_a_guaranteed_plateau]",
     "denoising photograph correlation"),
    ("Early stopping", "The α and η with which rank L holds for enough steps within a budget", DERIVED,
     "theory.design", "theory_design[a_design_keeps_its_promise wishes_that_cannot_be_met]"),
    ("Experiments", "A small random start shows the same plateaus in the same order", PUBLISHED, "Gaussian",
     "sensing[small_random_starts_pass_the_plateaus_in_order "
     "small_random_starts_are_learned_when_the_growth_rate_says]",
     "random-start"),
    ("Experiments", "Sensing: the effective rank falls to 1 and climbs to that of the matrix", PUBLISHED,
     "Sensing estimators.DeepMatrixSensing",
     "sensing[sensing_first_lowers_the_rank_then_raises_it_and_depth_helps_near_the_threshold]", "sensing"),
    ("Experiments", "SGD over measurements shows the same picture", DERIVED, "SGD",
     "sensing[sgd_over_measurements_shows_the_same_picture]", "sgd"),
], "wang2024": [
    ("Setting", "`L_λ(θ) = C(W) + λ Σ_l ‖W_l‖_F²` with C the mean of `½ (W_ij - T_ij)²` over what is "
     "observed; SGD draws one entry with replacement", PUBLISHED, "Completion SGD theory.landscape.entries",
     "engines[an_engine_agrees_with_the_reference_step]; kernels[float64_agrees_with_the_reference_step]"),
    ("Setting", "The ridge on W: `min Σ_l ‖W_l‖_F² = L Σ_i s_i^(2/L)`, attained by balanced factors",
     PUBLISHED, "theory.landscape.representation_cost theory.landscape.balanced_factors",
     "landscape[balanced_factors_attain_the_representation_cost cost_is_the_nuclear_norm_at_depth_two_and_ignores_"
     "rounding]"),
    ("Minima", "At a critical point the layers are balanced and `Uᵀ G V = -2λ S^(2/L-1)`, G = ∇C(W)",
     DERIVED, "theory.landscape.critical_check", "landscape[identities_at_a_critical_point "
     "a_point_on_its_way_is_told_apart]"),
    ("Minima", "Nonzero singular values of a critical point obey `s ≥ (2λ / ‖G‖)^(L/(L-2))`", DERIVED,
     "theory.landscape.rank_floor RankMonitor",
     "landscape[identities_at_a_critical_point]; monitor[the_relaxed_rank_is_that_of_the_minimum_below]"),
    ("Minima", "Hidden rotations are the only flat directions; zero is a minimum from depth 3 on", DERIVED,
     "theory.landscape.hessian theory.landscape.hessian_signature",
     "landscape[hessian_is_the_derivative_of_the_gradient rotations_are_the_only_flat_directions "
     "zero_is_a_minimum_from_depth_three_on]", "scalar-landscape"),
    ("Minima", "One mode: critical points `a = s + κ s^(2/L-1)`, barrier, minimum and their thresholds",
     DERIVED,
     "theory.landscape.critical_points theory.landscape.scalar_thresholds theory.landscape.soft_threshold",
     "landscape[thresholds_of_the_table roots_of_the_table barrier_and_minimum_are_the_critical_points]",
     "scalar-landscape"),
    ("Minima", "Fully observed: the minima keep the k largest modes, `a_k > a_c`: one for every such k",
     DERIVED, "theory.landscape.local_minima",
     "landscape[local_minima_are_the_stable_subsets exactly_one_global_minimum_of_least_objective]", "minima"),
    ("Minima", "Minima of too low a rank are avoided: once `L_λ < inf C over rank < r`, descent ends at rank r "
     "or more", DERIVED, "theory.landscape.rank_certificate",
     "landscape[descent_never_ends_below_its_certified_rank no_matrix_of_lower_rank_is_below_the_bound]"),
    ("Minima", "Gradient descent gets stuck in minima of too high a rank", PUBLISHED,
     "data.planted GradientDescent", "monitor[known_minima_of_the_planted_problem]", "stuck"),
    ("Absorbing sets", "B_r: balanced up to ε₁, soft rank `Σ f_α(σ_i(W_l)²) ≤ r + ε₂`, norms at most C",
     PUBLISHED, "theory.absorbing.RankSet theory.absorbing.Margins "
     "theory.absorbing.soft_rank theory.absorbing.soft_count",
     "absorbing[margins_are_the_three_conditions sets_are_nested_in_rank soft_rank_lies_between_zero_and_the_rank]",
     "soft-rank"),
    ("Absorbing sets", "One step: exact balance and norms, `D_l ← ρ² D_l + η² (g_(l+1)ᵀ g_(l+1) - g_l g_lᵀ)`, "
     "and a bound of the soft rank", DERIVED,
     "theory.absorbing.batch_gradient theory.absorbing.imbalance_after theory.absorbing.norms_after "
     "theory.absorbing.norm_bounds theory.absorbing.soft_rank_bounds",
     "absorbing[balance_norm_and_soft_rank_after_a_step norms_stay_below_the_sharp_bound_up_to_its_limit "
     "soft_rank_bound_in_a_hundred_thousand_checks]"),
    ("Absorbing sets", "For small λ and η no step leads out of B_r, whatever is drawn", DERIVED,
     "theory.absorbing.worst_case theory.absorbing.a_posteriori",
     "absorbing[no_step_leaves_from_the_edge an_adversary_cannot_leave constants_at_depth_three]", "soft-rank"),
    ("Absorbing sets", "A certificate for the next step at this point, over all entries", DERIVED,
     "theory.absorbing.step_certificate",
     "absorbing[no_batch_does_worse_than_the_certificate certificate_names_the_adversary_and_the_stability]"),
    ("Absorbing sets", "From anywhere B_r is reached with probability at least `p^T > 0`", DERIVED,
     "theory.absorbing.reachability",
     "absorbing[the_certified_draws_reach_the_lower_rank rank_zero_is_reached_by_one_small_entry]", "rank-grid"),
    ("Jumps", "SGD jumps from high to low rank and never back", PUBLISHED, "RankMonitor",
     "monitor[sgd_leaves_the_trap_and_the_stamps_are_exact]; jumps[sgd_gets_down_and_does_not_come_back]", "one-way"),
    ("Jumps", "Mean time to a jump: `log T ~ S`, `S = ∫ π dz`, `1 - qπ = exp(-πJ(z))`, about V/η", DERIVED,
     "theory.escape.wkb_exponent theory.escape.mean_exit_time theory.escape.supporting_target estimate_jump_rate",
     "escape[exponents_of_the_table mean_exit_time_of_simulated_chains small_steps_obey_the_linear_law]; "
     "jumps[the_estimate_is_the_time_watched_over_the_jumps]", "jump-times"),
    ("Jumps", "Reshuffled epochs cap the gaps between draws: no jumps", DERIVED, "SGD",
     "jumps[reshuffled_epochs_stay_where_they_are reshuffled_epochs_do_not_jump]", "reshuffling"),
    ("Jumps", "Batches jump when η grows in proportion", DERIVED, "SGD",
     "jumps[batches_jump_when_the_rate_grows_with_them]", "batches"),
    ("Experiments", "Annealing: a large λ and η first, then smaller ones", PUBLISHED, "anneal",
     "annealing[noise_leads_out_of_the_trap_and_the_test_error_falls_fifty_times "
     "a_generic_matrix_comes_back_at_its_rank]", "annealing recovery"),
    ("Experiments", "A pulse of the ridge does the same; isotropic noise and AdamW are not one-way", DERIVED,
     "rates.pulse Optimizer", "papers[every_claim_holds_and_every_figure_is_labelled]", "controls"),
    ("Experiments", "Matrix completion with a falling ridge", PUBLISHED, "complete",
     "complete[rank_is_exact_at_a_tenth_of_the_entries killing_ridge_is_where_the_one_mode_problem_prefers_zero]",
     "real-data"),
], "saxe2014": [
    ("Whole matrices", "Along the singular vectors of the target every mode has an equation of its own",
     PUBLISHED, "theory.aligned_flow theory.aligned_descent",
     "theory_exact[aligned_descent_is_the_spectral_engine the_simulator_flows_along_the_aligned_path]"),
], "fukumizu1998": [
    ("Whole matrices", "Two balanced layers: a matrix Riccati equation, solved in closed form", PUBLISHED,
     "theory.two_layer_flow", "theory_exact[the_riccati_flow_is_the_flow_of_two_factors "
     "a_rotation_is_learned_from_the_identity half_a_turn_is_not_learned_from_the_identity]"),
], "arora2018": [
    ("Whole matrices", "The balanced flow of any loss is one of W alone: "
     "`W' = -Σ_j (WWᵀ)^((N-j)/N) ∇f(W) (WᵀW)^((j-1)/N)`", PUBLISHED, "theory.end_to_end_flow",
     "theory_exact[the_product_of_balanced_factors_flows_end_to_end]"),
], "arora2019": [
    ("Whole matrices", "Singular values move by their own slope: `σ' = -N σ^(2-2/N) ⟨∇f, u vᵀ⟩`", PUBLISHED,
     "theory.end_to_end_flow", "theory_exact[a_singular_value_moves_by_its_own_slope]"),
]}
STATEMENTS = tuple(Statement(work, *row) for work, rows in _TABLE.items() for row in rows)


def resolve(name: str) -> Any:
    """The object of a public name below `rankscape`.

    >>> resolve("theory.plateaus").__name__
    'plateaus'
    """
    found = importlib.import_module("rankscape")
    for part in name.split("."):
        found = getattr(found, part)
    return found


def page() -> str:
    """The table as a page in Markdown, for ``docs/``."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    yield "# From the papers to the code"
    yield ""
    yield "Each statement, the function that computes it and what that returns, tests that hold it, and the figure of"
    yield "`rankscape reproduce` that shows it. *Published* forms are those of the paper; where it says *derived here*,"
    yield "the paper has the statement or asks the question, and the constants are rankscape's own."
    yield "Made by `python -m rankscape.papers.statements`."
    for work, statements in groupby(STATEMENTS, key=lambda statement: statement.work):
        yield from ["", f"## {reference(work).line.split('] ')[1]}", ""]
        yield from ["| place | statement | form | function | tests | figure |", "|---|---|---|---|---|---|"]
        yield from (_row(statement) for statement in statements)
    yield ""


def _row(s: Statement) -> str:
    tests = " ".join(f"[{name[5:]}](../tests/{file})" for file, name in s.nodes())
    figures = " ".join(f"`{s.work} --figure {name}`" for name in s.figures.split())
    functions = " ".join(_linked(name) for name in s.functions.split())
    return f"| {s.place} | {s.text} | {s.source} | {functions} | {tests} | {figures} |"


def _linked(name: str) -> str:
    """A name with a link to its file, and the record that it returns."""
    found = resolve(name)
    # By the module: the function itself may be wrapped by a checker of types.
    file = Path(sys.modules[found.__module__].__file__ or "")
    inside = file.relative_to(Path(__file__).parent.parent)
    made = getattr(inspect.signature(found).return_annotation, "__args__", None) if inspect.isfunction(found) else None
    kind = (made or [getattr(found, "__annotations__", {}).get("return")])[0]
    record = f" → `{kind.__name__}`" if inspect.isclass(kind) and kind.__module__.startswith("rankscape") else ""
    return f"[`{name}`](../src/rankscape/{inside}){record}"


if __name__ == "__main__":
    print(page(), end="")
