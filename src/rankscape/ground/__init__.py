"""What every room stands on: checked numbers, atomic files, digests, addressed chance, and nothing of the subject.

================  ==============================================================================================
**from outside**
`checks`          one number from a caller, checked, with the place in the error
`arrays`          an array from a caller, checked
`numbers`         what is a real number that float64 holds, and what is none
`missing`         what stands for a missing value
`types`           array types with their shapes
`range`           where floats end: refuse to answer beyond
**files**
`storage`         files that appear whole or not at all
`kinds`           what a file is by its first bytes, and which may be replaced
`beside`          where they are made, and what dead writers left of it
`durable`         files that a power cut does not take; digests that notice damage
`stored`          arrays in files, in a folder that goes when nothing needs it
**work**
`termination`     SIGTERM as an orderly end
`memory`          how much of it there is, and what would not fit
`threads`         threads over fixed blocks: their number changes no digit
`jit`             the one place that asks numba to compile
`double`          JAX with 64 bits, and never in a forked child
`stream`          random numbers addressed by seed and position
**arrays**
`linalg`          a singular value decomposition that does not give up
`modes`           a matrix as its directions: `Modes`, a thin singular value decomposition
`groups`          values by the group they belong to, such as the entries of each row
`labelled`        arrays with named dimensions, without xarray
`fingerprint`     digests of arrays, tables and functions: what a checkpoint or a sweep must match
**people**
`progress`        what is told while one waits: on a terminal, in a notebook, as lines
`html`            small tables for notebooks
`as_json`         NumPy values as JSON
**the house**
`final`           classes that are abstract or final
`parts`           what is installed on request, and the sentence about what is missing
`versions`        which versions compute, and that workers have the same
================  ==============================================================================================
"""
