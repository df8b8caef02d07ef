"""What rows and columns that are alike, or next to one another, say of an entry.

=====================  ==========================================================================================
`near_rows`            rows that are most alike, and what they predict for one another
`order`                whether an axis is ordered
`between`              along an ordered axis, what lies between two entries
`local_regression`     polynomials through the entries around a cell
`random_walk`          thin factors that walk along an ordered axis
=====================  ==========================================================================================
"""
