"""Entries that are more than the memory holds: sorted on disk, piece by piece, and mapped from there.

===============  ==============================================================================================
`seen`           the names that rows and columns have in all parts, and how many records each has
`sorting`        triplets in any order, to entries in row order
`keeping`        entries in memory, on disk
===============  ==============================================================================================
"""
