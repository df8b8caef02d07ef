"""What a process of the explorer may be given to do: here, everything that goes wrong."""

import os
import time

import numpy as np

from rankscape.errors import InputError
from rankscape.explore.calls import Frame


def listens(line):
    yield Frame("said", line.recv())


def refuses(line):
    yield Frame("read")
    raise InputError("The table is upside down.")


def stumbles(line):
    yield Frame("read")
    raise ValueError("/home/somebody/secret")


def runs_out_of_disk(line):
    yield Frame("read")
    raise OSError("no space left")


def takes_all_memory(line):
    yield Frame("read")
    np.ones(1 << 40)


def vanishes(line):
    yield Frame("read")
    os._exit(3)


def never_ends(line):
    import resource  # Windows has none

    yield Frame("read")
    resource.setrlimit(resource.RLIMIT_CPU, (int(time.process_time()) + 1, 100))
    while True:
        pass


def sleeps(line):
    yield Frame("pid", {"pid": os.getpid()})
    time.sleep(600)
