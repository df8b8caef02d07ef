"""The defaults against peers, on data and masks that nobody tuned on (``python benchmarks/scoreboard.py``).

============  ======================================================================================
`plan`        which fits there are: sections, names, seeds
`real`        public matrices, ratings, and the patterns in which cells are hidden
`synthetic`   classes of matrices whose noise-free entries are known, made of the parts in `drawing`
`special`     two blocks, nearly exact tables, and as few entries as can be
`cases`       a matrix with hidden cells: what is given, what is judged, and how
`ratings`     triplets with hidden ratings
`denoising`   a full matrix with noise
`ours`        what rankscape says about a case, read off its public result
`peers`       what other packages and simple rules fill in
`measure`     CPU seconds and their limit
`store`       one JSON file; peers are measured once
`standing`    how ours stands in one fit: errors, time, what was said
`tables`      what is printed for each section
`bars`        what was asked for, beside what was reached
`run`         the command
============  ======================================================================================
"""
