"""How far each corruption of images goes, at severities 1 to 5; read without torch."""

AMOUNTS = {
    "gaussian noise": (0.04, 0.08, 0.12, 0.15, 0.18),  # standard deviation
    "shot noise": (250, 100, 50, 30, 15),  # photons of a white pixel
    "impulse noise": (0.01, 0.02, 0.05, 0.08, 0.14),  # share of the values
    "gaussian blur": (0.5, 0.75, 1.0, 1.25, 1.5),  # standard deviation, pixels
    "motion blur": (2, 3, 4, 5, 6),  # length, pixels
    "contrast": (0.4, 0.3, 0.2, 0.1, 0.05),  # what is left of it
    "brightness": (0.1, 0.2, 0.3, 0.4, 0.5),  # added
    "pixelate": (0.9, 0.8, 0.7, 0.6, 0.5),  # pixels a side that are left, as a share
    "occlusion": (0.05, 0.1, 0.15, 0.2, 0.25),  # share of the image
    "elastic": (0.3, 0.6, 0.9, 1.2, 1.5),  # displacement, pixels (root mean square)
}
SEVERITIES = len(AMOUNTS["contrast"])
