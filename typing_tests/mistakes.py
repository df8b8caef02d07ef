"""Mistakes that type checkers must find: each line would be an error without its mark, and a needless mark is one."""

# pyright: reportUnnecessaryTypeIgnoreComment=true
import rankscape as rs

# A name that does not exist: the package loads its names late, and checkers must know them all the same.
rs.simulat(rs.Estimation(eigenvalues=[5, 3]))  # type: ignore[attr-defined]
rs.theory.plateau([5, 3], 3, 0.1, 1e-3)  # type: ignore[attr-defined]

# Numbers that are none, arguments that are missing or unknown.
rs.theory.plateaus([5, 3], "3", 0.1, 1e-3)  # type: ignore[arg-type]
rs.theory.plateaus([5, 3], 3, 0.1, 1e-3, tolerance="small")  # type: ignore[arg-type]
rs.theory.plateaus({"a": 5}, 3, 0.1, 1e-3)  # type: ignore[arg-type]
rs.theory.stopping_rule([5, 3], 3, 0.1, 1e-3, rank=2.5)  # type: ignore[arg-type]
rs.theory.hitting_time(5, 2.5, 3, 0.1)  # type: ignore[call-arg]
rs.theory.landscape.local_minima([3, 2, 1], depth=3, rigde=0.1)  # type: ignore[call-arg]
rs.Identical("0.1")  # type: ignore[arg-type]

# A matrix is completed with choices that have names; a file is read by `rankscape.files` first.
rs.complete([[1.0, 2.0]], depth="deep")  # type: ignore[arg-type]
rs.complete([[1.0, 2.0]], offset="median")  # type: ignore[arg-type]
rs.complete([[1.0, 2.0]], rank=2)  # type: ignore[call-arg]
rs.estimators.DeepMatrixDenoiser(noise="loud")  # type: ignore[arg-type]
rs.estimators.DeepMatrixDenoiser().fit({"a": 1.0})  # type: ignore[arg-type]

# What comes back has a type too.
rank: str = rs.theory.plateaus([5, 3], 3, 0.1, 1e-3)[0].rank  # type: ignore[assignment]

# Sweeps: what is swept is a mapping or a list of mappings, seeds are whole numbers, an executor is one or its name.
rs.sweep({"eigenvalues": [5, 3]}, over=3, store="grid.zarr")  # type: ignore[arg-type]
rs.sweep({"eigenvalues": [5, 3]}, over={"alpha": 0.1}, store="grid.zarr")  # type: ignore[dict-item]
rs.sweep({"eigenvalues": [5, 3]}, seeds="three", store="grid.zarr")  # type: ignore[arg-type]
rs.sweep({"eigenvalues": [5, 3]}, seeds=3, store="grid.zarr", executor=2)  # type: ignore[arg-type]
rs.sweep(3, seeds=3, store="grid.zarr")  # type: ignore[arg-type]

# Runs: where they start, how they move and what looks at them have types, and an engine is one of six.
START, DESCENT = rs.Identical(0.1), rs.GradientDescent(0.01)
rs.simulate(rs.Estimation(eigenvalues=[5, 3]), initialization=0.1, dynamics=DESCENT, steps=3)  # type: ignore[arg-type]
rs.simulate(rs.Estimation(eigenvalues=[5, 3]), initialization=START, dynamics=0.1, steps=3)  # type: ignore[arg-type]
rs.simulate(rs.Estimation(eigenvalues=[5, 3]), initialization=START, dynamics=DESCENT)  # type: ignore[call-arg]
rs.simulate(problem=[[1.0]], initialization=START, dynamics=DESCENT, steps=3)  # type: ignore[arg-type]
rs.simulate(rs.Estimation([[1.0]]), initialization=START, dynamics=DESCENT, steps=3, record=5)  # type: ignore[arg-type]
rs.simulate(rs.Estimation([[1.0]]), initialization=START, dynamics=DESCENT, steps=3, stop=5)  # type: ignore[arg-type]
rs.simulate(rs.Estimation([[1.0]]), initialization=START, dynamics=DESCENT, steps=3, engine="gpu")  # type: ignore[arg-type]
rs.RankMonitor(stop="sideways")  # type: ignore[arg-type]
