"""What predicts every cell of a matrix, in the units of the entries that it was fitted to.

================  ==================================================================================================
`base`            `Model`: the contract; a new kind is one frozen dataclass, which `packing` can then save
`low_rank`        a product of thin factors plus an offset: what the trajectory finds
`gaussian_rows`   rows drawn from one Gaussian with a full covariance
`near_lines`      the mean of near rows, or of near columns
`interpolated`    between neighbours, along ordered rows, columns, or both
`local`           polynomials through the entries around a cell
`drawn`           a mean over draws behind a link (`links`): counts, chances, classes that have an order
`stepwise`        one model, and a second one of what it leaves
`scaled`          another model in the units of the data: rows and columns of different size
`combined`        a weighted mean of models
`limited`         another model where a limit hides what is small
`determined`      another model where the entries determine it, and the offset where they do not
`uncertainty`     standard errors of filled cells, from the normal matrix of a Gauss-Newton step
`intervals`       between which values a new observation lies, and the cell itself
`packing`         models as plain arrays and words, and back
================  ==================================================================================================
"""
