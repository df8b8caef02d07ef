"""The pictures of the page about `rankscape explore`: ``PYTHONPATH=docs:tests python -m _site.explored [ROOM ...]``.

Each room is opened in a browser, in both themes, and waited for until nothing moves in it any more.
"""

import io
import sys
import tempfile
from pathlib import Path

import browsing
from PIL import Image

import rankscape as rs

PLACE = Path(__file__).parent.parent / "_static" / "explore"
SIZE = {"width": 1100, "height": 760}

# Seconds that a room may take; and its address, with a script that says when all is there.
WAIT = 600
ROOMS = {
    "climb": ("climb?rank=2", "document.querySelector('[data-part=words] li')"),
    "fall": ("fall?pace=4000", "Number(room.dataset.step) > 90000"),
    "complete": ("complete?table=flower&hide=0.5", "document.querySelector('[data-part=files] a')"),
    "runs": ("sweep?run=6", "room.dataset.run === '6' && scale.textContent.includes('Theory')"),
}
AXES = {"alpha": [0.02, 0.05, 0.1, 0.2, 0.4], "learning_rate": [0.0005, 0.001, 0.002, 0.004]}
NAMES = "const room = document.getElementById('room'), scale = document.querySelector('[data-part=scale]');"


def take(browser, address: str, ready: str, name: str) -> None:
    """Pictures of a room that has come to rest, in both themes."""
    page = browser.new_page(viewport=SIZE, color_scheme="light")
    page.goto(address)
    for _ in range(10 * WAIT):
        if page.evaluate(f"(() => {{ {NAMES} return Boolean({ready}); }})()"):
            break
        page.wait_for_timeout(100)
    else:
        raise TimeoutError(address)
    if (pause := page.locator("[data-part=pause]")).count():
        pause.click()
        page.mouse.move(1, 1)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.wait_for_timeout(1000)
        assert not page.locator("[aria-busy=true]").count()
        taken = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
        taken.quantize(128, dither=Image.Dither.NONE).save(PLACE / f"{name}-{scheme}.png")
    page.close()


def main(wanted: list[str]) -> None:
    """Make them."""
    with tempfile.TemporaryDirectory() as folder, browsing.chromium() as browser:
        for name in wanted or ROOMS:
            store = []
            if name == "runs":
                store = [str(Path(folder) / "g.zarr")]
                rs.sweep({"eigenvalues": [5.0, 3.0, 1.5], "depth": 3, "steps": 6000}, over=AXES, store=store[0])
            with browsing.explorer(*store) as found:
                where, ready = ROOMS[name]
                take(browser, f"http://{found.split('/')[2]}/{where}", ready, name)


if __name__ == "__main__":
    main(sys.argv[1:])
