"""The moving picture of the first page: a spectrum that climbs by gradient descent, then falls by SGD."""

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from _site.made import FILES, is_made, stamp

MOVING = FILES / "climb.png"
SIZE, FOOT = (640, 300), 258
COLOURS = {"back": (18, 40, 52), "bar": (244, 185, 66), "dead": (92, 118, 130), "text": (226, 236, 240)}
SHOWN = 0.02  # of the largest: what counts as alive


def climb() -> np.ndarray:
    """Singular values of a run of gradient descent from a small start, one row a record."""
    import rankscape as rs

    run = rs.simulate(
        rs.Estimation(eigenvalues=[5, 4, 3, 2.2, 1.5, 1]), depth=3, initialization=rs.Identical(alpha=0.1),
        dynamics=rs.GradientDescent(learning_rate=2e-3), steps=30_000, record=rs.LogSpaced(110),
    )  # fmt: skip
    return run.dataset.singular_values.sel(step=slice(150, None)).values / 5


def fall() -> np.ndarray:
    """Singular values of SGD with a ridge, from a minimum of rank 4 down to rank 2."""
    import rankscape as rs

    lab = rs.data.planted()
    run = rs.simulate(
        lab.problem, initialization=rs.Factors(lab.start()), steps=300_000, record=rs.Every(6_000),
        dynamics=rs.SGD(learning_rate=0.2, ridge=0.4 / len(lab.problem.values)),
    )  # fmt: skip
    values = run.dataset.singular_values.values
    return values[:, :6] / values[:, :1].max()


def _font(size: int) -> ImageFont.FreeTypeFont:
    """A font that has the letter of singular values; Matplotlib brings it."""
    from matplotlib import font_manager

    return ImageFont.truetype(font_manager.findfont("DejaVu Sans"), size)


def _frame(values: np.ndarray, words: str) -> Image.Image:
    image = Image.new("RGB", SIZE, COLOURS["back"])
    draw = ImageDraw.Draw(image)
    alive = values > SHOWN
    draw.text((24, 16), f"{words}: rank {alive.sum()}", fill=COLOURS["text"], font=_font(22))
    draw.line((24, FOOT, SIZE[0] - 24, FOOT), fill=COLOURS["dead"], width=2)
    for k, value in enumerate(values):
        left, top = 52 + 94 * k, FOOT - max(2, round(190 * float(value)))
        draw.rectangle((left, top, left + 60, FOOT), fill=COLOURS["bar" if alive[k] else "dead"])
        draw.text((left + 22, FOOT + 8), f"σ{'₁₂₃₄₅₆'[k]}", fill=COLOURS["text"], font=_font(17))
    return image


def generate(app=None) -> None:
    """Have it drawn, unless it is there (`made`)."""
    if not is_made(MOVING.name):
        draw()
        stamp(MOVING.name)


def draw() -> None:
    """Write ``climb.png`` (moving) and ``still.png``."""
    FILES.mkdir(parents=True, exist_ok=True)
    frames = [_frame(row, "Gradient descent climbs") for row in climb()]
    frames += [frames[-1]] * 8 + [_frame(row, "SGD with a ridge falls") for row in fall()]
    frames += [frames[-1]] * 12
    # One palette, so that only what moves is stored.
    few = frames[len(frames) // 4].quantize(12, dither=Image.Dither.NONE)
    drawn = [frame.quantize(palette=few, dither=Image.Dither.NONE) for frame in frames]
    drawn[0].save(MOVING, save_all=True, append_images=drawn[1:], duration=90, loop=0, optimize=True)
    drawn[len(drawn) // 4].save(FILES / "still.png", optimize=True)


def setup(app) -> None:
    """Connect."""
    app.connect("builder-inited", generate)
