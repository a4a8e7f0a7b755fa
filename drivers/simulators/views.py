"""How a camera may see a page; drawn in physics.py."""

import enum


class View(enum.StrEnum):
    """How the camera sees the page."""

    CLEAN = "clean"
    BLUR = "blur"
    NOISE = "noise"
    GLARE = "glare"
    PERSPECTIVE = "perspective"
    DIM = "dim"
    HALF_OUT = "half out"
    UPSIDE_DOWN = "upside down"
