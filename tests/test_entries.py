"""The one type of observed entries, against a dictionary that maps each position to what was given there."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rankscape.entries import Entries
from rankscape.entries.duplicates import row_order
from rankscape.errors import FinalClassError, InputError

SHAPE = (4, 5)
NUMBERS = st.floats(-10, 10).map(lambda number: round(number, 3))


@st.composite
def triplets(draw, repeated: bool, weighted: bool | None = None):
    """Triplets in any order, of int32 or int64 positions, with or without weights."""
    at = st.tuples(st.integers(0, SHAPE[0] - 1), st.integers(0, SHAPE[1] - 1))
    positions = draw(st.lists(at, max_size=25, unique=not repeated))
    count, kind = len(positions), draw(st.sampled_from([np.int32, np.int64]))
    rows, columns = np.array(positions, dtype=kind).reshape(-1, 2).T
    lists = st.lists(NUMBERS, min_size=count, max_size=count)
    weights = st.lists(st.floats(0.1, 5).map(lambda w: round(w, 3)), min_size=count, max_size=count)
    weighted = draw(st.booleans()) if weighted is None else weighted
    return rows, columns, np.array(draw(lists)), np.array(draw(weights)) if weighted else None


def made(given, duplicates="error") -> Entries:
    return Entries(*given[:3], SHAPE, given[3], duplicates=duplicates)


def cells(entries: Entries) -> dict:
    """Position -> (value, weight), and that the order and the marks of `entries` are as promised."""
    keys = list(zip(entries.rows.tolist(), entries.columns.tolist(), strict=True))
    assert keys == sorted(set(keys))
    for array in (entries.rows, entries.columns, entries.values, entries.weights):
        assert array is None or (len(array) == entries.count and not array.flags.writeable)
    weights = [None] * len(keys) if entries.weights is None else entries.weights.tolist()
    return dict(zip(keys, zip(entries.values.tolist(), weights, strict=True), strict=True))


def listed(given) -> dict:
    """Position -> the list of all (value, weight) that were given there, in that order."""
    rows, columns, values, weights = given
    found: dict = {}
    for k, key in enumerate(zip(rows.tolist(), columns.tolist(), strict=True)):
        found.setdefault(key, []).append((values[k], None if weights is None else weights[k]))
    return found


def merged(pairs, policy):
    values, weights = zip(*pairs, strict=True)
    if policy == "last":
        return pairs[-1]
    if weights[0] is None:
        return sum(values) / len(values), None
    return sum(v * w for v, w in pairs) / sum(weights), sum(weights)


# -- made ----------------------------------------------------------------------------------------------------


@given(triplets(repeated=False))
def test_entries_are_those_that_were_given(given):
    assert cells(made(given)) == {key: pairs[0] for key, pairs in listed(given).items()}


@given(triplets(repeated=True), st.sampled_from(["mean", "last"]))
def test_repeated_positions_are_merged_by_policy(given, policy):
    found, expected = cells(made(given, policy)), listed(given)
    assert found.keys() == expected.keys()
    for key, pair in found.items():
        want = merged(expected[key], policy)
        assert pair[0] == pytest.approx(want[0], abs=1e-12)
        assert pair[1] is want[1] or pair[1] == pytest.approx(want[1])


@given(triplets(repeated=True))
def test_repeated_positions_are_an_error_that_names_the_first_pair(given):
    rows, columns = given[:2]
    seen: dict = {}
    for k, key in enumerate(zip(rows.tolist(), columns.tolist(), strict=True)):
        if key in seen:
            message = rf"\(row {key[0]}, column {key[1]}\) is given twice, at positions {seen[key]} and {k};"
            with pytest.raises(InputError, match=message):
                made(given)
            return
        seen[key] = k
    assert made(given).count == len(rows)


@given(triplets(repeated=True), st.randoms(use_true_random=False))
def test_order_changes_nothing(given, random):
    order = list(range(len(given[0])))
    random.shuffle(order)
    other = tuple(None if array is None else array[order] for array in given)
    first, second = cells(made(given, "mean")), cells(made(other, "mean"))
    assert first.keys() == second.keys()
    for key, pair in first.items():
        assert second[key][0] == pytest.approx(pair[0], abs=1e-12)  # three values may be added in another order
    unique = {key: k for k, key in enumerate(zip(given[0].tolist(), given[1].tolist(), strict=True))}
    kept = list(unique.values())
    random.shuffle(kept)
    chosen = tuple(None if array is None else array[sorted(kept)] for array in given)
    shuffled = tuple(None if array is None else array[kept] for array in given)
    assert cells(made(chosen)) == cells(made(shuffled))


@pytest.mark.parametrize("kind", [np.int32, np.int64])
@pytest.mark.parametrize("size", [9, 2**40])  # packed into one integer, and too large for that
@given(count=st.integers(0, 60), seed=st.integers(0, 99))
def test_sorting_is_lexicographic_and_keeps_the_order_among_equals(kind, size, count, seed):
    rows, columns = np.random.default_rng(seed).integers(9, size=(2, count)).astype(kind)
    found = row_order(rows, columns, (size, size))
    expected = sorted(range(count), key=lambda k: (rows[k], columns[k]))
    assert found.tolist() == expected


def test_rows_and_columns_beyond_two_to_the_31_do_not_overflow():
    far = 2**40 - 1
    entries = Entries([far, 0, far], [0, far, far], [1.0, 2.0, 3.0], (2**40, 2**40))
    assert (entries.rows.tolist(), entries.columns.tolist()) == ([0, far, far], [far, 0, far])
    wide = Entries(np.array([50_000, 49_999], np.int32), np.array([0, 59_999], np.int32), [1.0, 2.0], (60_000, 60_000))
    assert wide.values.tolist() == [2.0, 1.0]  # 50000 * 60000 is beyond int32


def test_small_indices_stay_small_and_all_others_become_int64():
    kinds = {np.int8: np.int64, np.uint32: np.int64, np.int32: np.int32, np.int64: np.int64}
    for kind, kept in kinds.items():
        for order in ([0, 1], [1, 0]):
            entries = Entries(np.array(order, kind), np.array(order, kind), [1.0, 2.0], (2, 2))
            assert entries.rows.dtype == entries.columns.dtype == kept


@pytest.mark.parametrize("order", [[0, 1, 2], [2, 0, 1]])
def test_arrays_of_the_caller_stay_writeable_and_cannot_change_the_entries(order):
    rows, columns, values, weights = np.array(order), np.array(order), np.array([1.0, 2, 3]), np.ones(3)
    entries = Entries(rows, columns, values, (3, 3), weights)
    before = cells(entries)
    for array in (rows, columns, values, weights):
        array[:] = array[::-1].copy()
    assert cells(entries) == before
    with pytest.raises(ValueError, match="read-only"):
        entries.values[0] = 5.0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([0], [0], [np.nan], (2, 2)), r"`values` holds nan at position \(0,\)"),
        (([0], [0], [[1.0]], (2, 2)), r"`values` must have 1 dimension\(s\), got shape \(1, 1\)"),
        (([0], [0], [1j], (2, 2)), "`values` must hold real numbers, got complex numbers"),
        (([0, 1], [0], [1.0], (2, 2)), r"`rows` must hold one index for each of the 1 values, got shape \(2,\)"),
        (([0], [0.5], [1.0], (2, 2)), "`columns` must hold integers, got float64"),
        (([0, 2], [0, 0], [1.0, 2.0], (2, 2)), r"`rows\[1\]` is 2, outside 0\.\.1; indices count from zero"),
        (([0], [-1], [1.0], (2, 2)), r"`columns\[0\]` is -1, outside 0\.\.1"),
        (([0], [0], [1.0], (2, 0)), r"`shape` must be a whole number of at least 1, got 0"),
        (([0], [0], [1.0], 3), r"`shape` must be two numbers \(n_out, n_in\), got 3"),
        (([0], [0], [1.0], (2, 2), [0.0]), "positive and finite where X is observed, got 0.0 at row 0, column 0"),
        (([0], [0], [1.0], (2, 2), [1.0, 1.0]), r"one number for each of the 1 entries, got shape \(2,\)"),
    ],
)
def test_what_cannot_be_used_is_named(arguments, message):
    with pytest.raises(InputError, match=message):
        Entries(*arguments)


def test_unknown_policies_are_refused_also_where_nothing_is_repeated():
    with pytest.raises(InputError, match="'error', 'mean' or 'last', got 'first'"):
        Entries([0], [0], [1.0], (1, 1), duplicates="first")  # pyright: ignore


def test_entries_are_final():
    with pytest.raises(FinalClassError, match="Entries is final"):

        class Mine(Entries):  # pyright: ignore
            pass


# -- out of a matrix, and back into one ----------------------------------------------------------------------


@given(triplets(repeated=False, weighted=False))
def test_a_matrix_and_its_entries_are_the_same_thing(given):
    entries = made(given)
    dense = np.full(SHAPE, np.nan)
    for (i, j), pairs in listed(given).items():
        dense[i, j] = pairs[0][0]
    np.testing.assert_array_equal(entries.dense(), dense)
    np.testing.assert_array_equal(
        entries.dense(2 * entries.values, fill=7.0), np.where(np.isnan(dense), 7.0, 2 * dense)
    )
    assert cells(Entries.from_array(dense)) == cells(entries)
    assert cells(Entries.from_array(np.ma.masked_invalid(dense))) == cells(entries)
    table = np.arange(20.0).reshape(SHAPE)
    assert entries.at(table).tolist() == [5 * i + j for i, j in sorted(listed(given))]
    by_row, by_column = entries.counts()
    assert by_row.tolist() == (~np.isnan(dense)).sum(1).tolist()
    assert by_column.tolist() == (~np.isnan(dense)).sum(0).tolist()


def test_entries_unpack_where_rows_columns_and_values_are_asked_for():
    entries = Entries([1, 0], [0, 2], [5.0, 3.0], (2, 3))
    assert all(one is two for one, two in zip(entries, (entries.rows, entries.columns, entries.values), strict=True))
    assert cells(Entries(*entries, entries.shape)) == cells(entries)


def test_an_infinite_cell_or_a_vector_is_no_matrix_with_holes():
    with pytest.raises(InputError, match=r"X holds -inf at row 1, column 0; missing entries are NaN"):
        Entries.from_array([[1.0], [-np.inf]], "X")
    with pytest.raises(InputError, match=r"A matrix has two dimensions, got shape \(2,\)"):
        Entries.from_array([1.0, 2.0])


# -- the same entries, otherwise -----------------------------------------------------------------------------


@given(triplets(repeated=False), st.integers(0, 99))
def test_parts_and_other_values_keep_positions_and_weights(given, seed):
    entries, held = made(given), np.random.default_rng(seed).random(len(given[0])) < 0.4
    both, chosen = cells(entries), dict(zip(cells(entries), held.tolist(), strict=True))
    rest, apart = entries.split(held)
    assert cells(apart) == {key: pair for key, pair in both.items() if chosen[key]}
    assert cells(rest) == cells(entries.part(~held)) == {key: pair for key, pair in both.items() if not chosen[key]}
    assert cells(rest.merge(apart)) == both
    doubled = entries.with_values(2 * entries.values)
    assert cells(doubled) == {key: (2 * value, weight) for key, (value, weight) in both.items()}
    assert cells(entries.with_weights(None)) == {key: (value, None) for key, (value, _) in both.items()}
    equal = entries.with_weights(np.full(entries.count, 0.5))
    assert cells(equal) == {key: (value, 0.5) for key, (value, _) in both.items()}
    assert entries.root_weights.tolist() == [1.0 if w is None else w**0.5 for _, w in both.values()]


@given(triplets(repeated=False), triplets(repeated=False))
def test_merging_takes_the_new_entry_and_counts_missing_weights_as_one(one, two):
    before, new = made(one), made(two)
    expected = cells(before) | cells(new)
    if (before.weights is None) != (new.weights is None):
        expected = {key: (value, 1.0 if weight is None else weight) for key, (value, weight) in expected.items()}
    assert cells(before.merge(new)) == expected


def test_merging_gives_a_matrix_that_holds_both():
    tall, wide = Entries([2], [0], [1.0], (3, 1)), Entries([0], [3], [2.0], (1, 4))
    assert tall.merge(wide).shape == (3, 4)
    assert cells(tall.merge(wide)) == {(0, 3): (2.0, None), (2, 0): (1.0, None)}


@given(triplets(repeated=False))
def test_transposing_swaps_positions_and_twice_is_nothing(given):
    entries = made(given)
    turned = entries.transposed()
    assert turned.shape == SHAPE[::-1]
    assert cells(turned) == {(j, i): pair for (i, j), pair in cells(entries).items()}
    assert cells(turned.transposed()) == cells(entries)


@given(triplets(repeated=False))
def test_every_cell_is_found_or_not(given):
    entries = made(given)
    rows, columns = np.divmod(np.arange(SHAPE[0] * SHAPE[1]), SHAPE[1])
    found = entries.find(rows, columns).tolist()
    positions = list(zip(entries.rows.tolist(), entries.columns.tolist(), strict=True))
    asked = zip(rows.tolist(), columns.tolist(), strict=True)
    assert found == [positions.index(cell) if cell in positions else -1 for cell in asked]


def test_other_weights_are_checked_as_the_first_ones():
    entries = Entries([0, 1], [0, 1], [1.0, 2.0], (2, 2))
    with pytest.raises(InputError, match=r"got -1\.0 at row 1, column 1"):
        entries.with_weights(np.array([1.0, -1.0]))
