"""What every room stands on: checked numbers, atomic files, digests, addressed chance, and nothing of the subject.

================  ==============================================================================================
`checks`          one number from a caller, checked, with the place in the error
`arrays`          an array from a caller, checked
`numbers`         what is a real number that float64 holds, and what is none
`storage`         files that appear whole or not at all
`memory`          how much of it there is, and what would not fit
`as_json`         NumPy values as JSON
`fingerprint`     digests of arrays, tables and functions: what a checkpoint or a sweep must match
`linalg`          a singular value decomposition that does not give up
`modes`           a matrix as its directions: `Modes`, a thin singular value decomposition
`stream`          random numbers addressed by seed and position
`jit`             the one place that asks numba to compile
`types`           array types with their shapes
================  ==============================================================================================
"""
