"""How a camera may see a page; drawn in physics.py, and what goes wrong with the stored image in camera_stand.py."""

import enum


class View(enum.StrEnum):
    """How the camera sees the page.

    CUT_SHORT: the image's file ends half-way. FULL_SENSOR: 50 megapixels.
    """

    CLEAN = "clean"
    BLUR = "blur"
    NOISE = "noise"
    GLARE = "glare"
    PERSPECTIVE = "perspective"
    DIM = "dim"
    HALF_OUT = "half out"
    UPSIDE_DOWN = "upside down"
    LAMP_OFF = "lamp off"
    CUT_SHORT = "cut short"
    FULL_SENSOR = "full sensor"
