"""What the site makes from the package itself, so that it cannot say anything else.

=============  ===========================================================================================
`pages`        blocks of code become cells that run; links out of ``docs/`` lead to where that is on the site
`reference`    a page for each public name, by room
`commands`     the options of every command
`papers`       the statements of the papers, their functions, tests and figures
`gallery`      every figure of `rankscape reproduce`, with its command, claims and data
`bibliography` all works that are cited
`changes`      the changelog from its fragments
`peers`        what was measured beside one of the other packages
`kernels`      processes in which pages run at once
`house`        the drawing of the rooms and their imports
`picture`      the moving picture of the first page
`accessible`   names and keyboard where the theme forgets them
`lighter`      styles and scripts that a page does not need are left out
`plain`        notebooks to take along, ``llms.txt``
`passages`     what the search looks through: sections, and questions with their answers
=============  ===========================================================================================
"""

from _site import (
    accessible,
    bibliography,
    changes,
    commands,
    gallery,
    house,
    kernels,
    lighter,
    pages,
    papers,
    passages,
    peers,
    picture,
    plain,
    reference,
)  # fmt: skip

ROOMS = (
    accessible,
    bibliography,
    changes,
    commands,
    gallery,
    house,
    kernels,
    lighter,
    pages,
    papers,
    passages,
    peers,
    picture,
    plain,
    reference,
)


def setup(app):
    """Every room of the site connects itself."""
    for room in ROOMS:
        room.setup(app)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
