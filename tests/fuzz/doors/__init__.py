"""The doors, each with its share of the time.

============  =================================================================================================
`files`       files of every format, harmed
`theory`      every public function of `rankscape.theory` and of its rooms
============  =================================================================================================
"""

DOORS = {"files": 2, "values": 1, "theory": 1, "functions": 2, "commands": 2, "stores": 1, "sweeps": 1}
