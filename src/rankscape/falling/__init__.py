"""Ranks fall: annealing, what speaks against it, and how long a jump takes.

==================  ============================================================================================
`annealing`         `anneal`: SGD on a falling ridge, relaxation, least squares: the algorithm that noise suggests
`concerns`          what speaks against the result, in sentences
`jump_rate`         `estimate_jump_rate`: how long a jump takes, from many runs
`jump_law`          `jump_law`: the same at learning rates where jumps are too rare to be waited for
`jump_probability`  `jump_probability`: how likely one is within a given time
`splitting`         what is too rare to be seen, by steps that are not
`replicas`          the runs that these share
==================  ============================================================================================
"""
