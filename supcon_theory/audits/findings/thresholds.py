"""Every threshold of a finding, once, with the reason for it."""

ROUNDING = 1e-5  # a proved inequality that is broken by more is a fault of the code, not rounding
COLLAPSED = 0.05  # CDNV: spread a third (sqrt(2 * .05)) of the distance between class means
SEPARATED = 0.5  # CDNV: the spread of a class equals the distance to the next mean
NO_GUARANTEE = 0.25  # directional CDNV from which 4 V / (1 + 4 V), known centres, is above 1/2
NEAR_NULL = 0.9  # share of the null above which a measure tells little from it
LOOSE = 10.0  # a bound so many times the value says little about it
FEW_SAMPLES = 10  # of a class: plug-in moments of fewer are off by 10 % and more
LOW_RANK = 0.1  # share of the effective rank of random directions: dimensional collapse
FULL_RANK = 0.5  # share of it from which nothing has collapsed
WANTED = 0.95  # accuracy that the verdict on labels is about
LEVEL = 0.9  # error with twice the labels, over the error: above, more labels do little
PROBE_WINS = 0.8  # error of a linear probe over that of the nearest centre: below, centres are poor
UNEQUAL_NORMS = 0.1  # coefficient of variation of the norms: scaling rows changes the geometry
ALIKE = 0.9  # debiased CKA from which two models hold the same geometry, up to rotation and scale
UNALIKE = 0.5  # below it they share less than half of it
