"""Entry-wise SGD on the planted problem: the time of a long run, and what watching its rank costs.

Run with ``python benchmarks/jumps.py``.
"""

from _timing import pin_to_one_core, seconds_per_call  # first: it limits the threads of what is imported next

# isort: split
import rankscape as rs

STEPS, BAR = 100_000_000, 40
WATCHED, SHARE = 10_000_000, 0.10


def _run(steps: int, **options: object):
    """SGD from the trap at depth 3 and width 8, at a rate at which its jump comes early: after it, nothing happens."""
    lab = rs.data.planted(seed=0)
    ridge = rs.rates.convert(0.4, lab.problem, value="ridge * m")
    setting = dict(initialization=rs.Factors(lab.start()), dynamics=rs.SGD(0.10, ridge), steps=steps, record=[0, steps])
    return lambda: rs.simulate(lab.problem, **setting, **options)


def long_run() -> None:
    """CPU seconds of `STEPS` steps on one core, through the front door."""
    steps = STEPS // 10
    seconds = 10 * seconds_per_call({"run": _run(steps)}, rounds=3)["run"]
    print(
        f"1e8 steps, n = 24, depth 3, width 8: {seconds:.1f} s of CPU time   < {BAR} s   "
        f"({1e9 * seconds / STEPS:.0f} ns a step)"
    )


def monitor_cost() -> None:
    """The same run with and without a monitor, in turns."""
    runs = {"bare": _run(WATCHED), "watched": _run(WATCHED, monitor=rs.RankMonitor())}
    seconds = seconds_per_call(runs, rounds=5)
    share = seconds["watched"] / seconds["bare"] - 1
    print(f"monitor: {100 * share:.1f} % of the run   <= {100 * SHARE:.0f} %")


def main() -> None:
    """Print all measurements."""
    print(pin_to_one_core())
    long_run()
    monitor_cost()


if __name__ == "__main__":
    main()
