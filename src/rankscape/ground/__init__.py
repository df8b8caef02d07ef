"""What every room stands on: checked numbers, atomic files, digests, addressed chance, and nothing of the subject.

================  ==============================================================================================
`checks`          one number from a caller, checked, with the place in the error
`arrays`          an array from a caller, checked
`numbers`         what is a real number that float64 holds, and what is none
`storage`         files that appear whole or not at all
`kinds`           what a file is by its first bytes, and which may be replaced
`beside`          where they are made, and what dead writers left of it
`durable`         files that a power cut does not take; digests that notice damage
`termination`     SIGTERM as an orderly end
`memory`          how much of it there is, and what would not fit
`progress`        what is told while one waits: on a terminal, in a notebook, as lines
`html`            small tables for notebooks
`as_json`         NumPy values as JSON
`fingerprint`     digests of arrays, tables and functions: what a checkpoint or a sweep must match
`range`           where floats end: refuse to answer beyond
`linalg`          a singular value decomposition that does not give up
`labelled`        arrays with named dimensions, without xarray
`modes`           a matrix as its directions: `Modes`, a thin singular value decomposition
`stream`          random numbers addressed by seed and position
`parts`           what is installed on request, and the sentence about what is missing
`double`          JAX with 64 bits, and never in a forked child
`jit`             the one place that asks numba to compile
`versions`        which versions compute, and that workers have the same
`types`           array types with their shapes
================  ==============================================================================================
"""
