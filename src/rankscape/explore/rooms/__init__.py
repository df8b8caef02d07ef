"""The rooms of the page, in the order of its menu."""

from rankscape.explore.calls import Room
from rankscape.explore.rooms.climb import Climb
from rankscape.explore.rooms.complete import Complete
from rankscape.explore.rooms.fall import Fall
from rankscape.explore.rooms.sweep import Runs

ROOMS: dict[str, Room] = {room.name: room for room in (Climb(), Fall(), Complete(), Runs())}
