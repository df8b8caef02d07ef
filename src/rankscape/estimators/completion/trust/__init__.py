"""Whether to trust a completion, and what speaks against it.

================  ==================================================================================================
`certificate`     what was measured, and the same in words
`cautions`        what speaks against it: one small function for each kind of reason
`expectation`     what error to expect of the cells that are filled
`thin`            rows and columns with few entries
`columns`         what is missed of each column, in its own units
`by_value`        whether entries go missing because of their value
================  ==================================================================================================
"""
