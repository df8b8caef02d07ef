"""A completed matrix: what comes back, what is asked of it, and how it is kept.

================  ==================================================================================================
`result`          `CompletedMatrix`
`found`           how it was found: its low-rank fit, the method and its words, and the way there
`cells`           what is asked cell by cell: values, errors, intervals, and the whole of them
`best`            the best unseen columns of each row
`new_rows`        rows that the model has not seen
`tabled`          the table that it came from: the same names and layout
`spread`          a folder of Parquet files, from which cells are asked part by part
`storing`         an NPZ file of plain arrays and JSON
================  ==================================================================================================
"""
