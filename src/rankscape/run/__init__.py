"""One run: from arguments to settings, through the loop, to a labelled trajectory.

================  ==============================================================================================
`simulation`      the front door `simulate`
`settings`        what a user typed as one `engine.Setting` for each run, and the configuration that is kept
`schedule`        when the state is looked at
`loop`            advance, look, save, go on
`watchers`        what looks on: stopping rules, jumps of the rank, observers, compression
`outcome`         how a run can end, with the remedy
`checkpoint`      the state of a run, atomically
`trajectory`      what comes back: a labelled data set and the last factors
================  ==============================================================================================
"""
