"""Tables of text: from bytes to records to columns, always knowing on which line, and back with nothing else changed.

================  ==================================================================================================
`decoding`        from bytes to text
`records`         text, record by record
`dialect`         how a line is cut into cells (`dialects`: which separator, which decimal mark)
`header`          whether the first line names the columns (`first_record`: by what stands below it)
`columns`         what the columns hold (`odd`: what to say of a cell that is no number)
`long_text`       long tables
`wide_text`       wide tables, in one pass (`rows_pass`, `row_names`; `odd_lines`: what to say of a line that is no row)
`text_writing`    a completed matrix as text
`text_size`       what reading will take
================  ==================================================================================================
"""
