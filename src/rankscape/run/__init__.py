"""One run: from arguments to a plan, through the loop, to a labelled trajectory, and on from its end.

================  ==============================================================================================
`simulation`      the front door `simulate`
`arguments`       names for what it takes
`settings`        what a user typed as one `engine.Setting` for each run, an engine, and the configuration
`continuing`      what a run that goes on takes along: state, memory, place in the random numbers, step
`schedule`        which steps are recorded
`batch`           the runs of one call, together and each alone
`loop`            advance, look, record, go on
`watchers`        what looks on: stopping rules, jumps of the rank, observers, compression (`watchers.base`)
`checkpoint`      the state of all runs in a file, replaced atomically
`outcome`         how a run can end, with the remedy
`ending`          how it ended, in sentences
`labelling`       from records to a data set with names
`trajectory`      what comes back
`storing`         a trajectory as a zarr store
`exporting`       a trajectory for other programs: netCDF, or a table
================  ==============================================================================================
"""
