"""Fuzzing: every door of rankscape gets made-up inputs, and answers, or refuses them in its own words.

=============  ==================================================================================================
`doors`        one file a door: makes a case from a seed, and hands it in
`case`         a case: a name and bytes, so that it can be kept as a file
`pieces`       values that callers give by mistake, as Python text
`trial`        hands in one case and says what came of it
`hunt`         processes that try case after case; the watch over them: crashes, hangs, memory
`corpus`       the cases that once failed, kept as files; `tests/test_fuzz.py` tries each again
=============  ==================================================================================================

``PYTHONPATH=tests python -m fuzz --minutes 5`` hunts through all doors; ``--door files --seed 7`` through one of them, elsewhere.
What is found is written into the corpus, one case for each place in the code.
"""
