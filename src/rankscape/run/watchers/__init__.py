"""What looks at a run on its way.

================  ==============================================================================================
`base`            the contract: what a watcher asks for, sees, records, decides and remembers
`stopping`        rules that end a run: at a step, an effective rank, a plateau, by held-out entries
`jumps`           the rank monitor: modes that die or come alive, each at its step
`curvature`       how long a step of SGD on entries may be
`observers`       functions of the user, rates in force, and how far the run is
`compression`     hidden directions that died are dropped
================  ==============================================================================================
"""
