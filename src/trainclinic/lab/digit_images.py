"""Ten real digits of eight by eight pixels, and the mean image of each class: at hand without loading the data set.

From the digits of scikit-learn (`load_digits`), which are the test part of Alpaydin & Kaynak 1998 (UCI repository,
CC BY 4.0). Grey levels 0 to 16, one character a pixel; the means are rounded to whole levels.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
LEVELS = "0123456789abcdefg"
SIDE = 8

# the samples numbered 0, 1, 12, 13, 4, 15, 6, 7, 8, 9 in the data set, one of each class
_DIGITS = (
    "005d910000dfaf5003f20b8004c008800580098004b01c7002e5ac00006da000",
    "000cd500000bg900003fg60007fgg200001gg300001gg600001gg600000bga00",
    "005c100000fe700000d1c00002a0e0000020g1000006f000009gf982003b8dc4",
    "029fe93004d89g800006ef30000be2000002fb0000002f400156dg6002ccdb00",
    "0001b00000078000001d6220007f098005ga0g6004fgdg100003fa000002g400",
    "05cdgg200bgf840008eb100008gge0000166g0000005g300015fd00004fg2000",
    "000cd000005g800000dg300000ed000000fc720000dgdg30007gbf800019fb30",
    "0078dgf100774bc000008d100488ff6002bff400000g5000009f100000d50000",
    "009e810000ceec00009a0f40003gce20004gg20003g8ad2001f13g8000bgfb10",
    "00bc000002gggd0003gcae0001g1cf0000dg9f20000309b000009f40009cd300",
)
_MEANS = (
    "004db30001ddbb1004e52c4005d2096006c1097003d22b6001daad20004ed500",
    "0029a610004de810017fe710029ee600017ce600005ad600005be8210029d931",
    "01aea20005ecd6000585c6000125c4000019a200015c721001becb7101aedc82",
    "018ee71004d9bc200243c9100019e6000016cb2000114c6001768d60019fe910",
    "0007b200003d821001ab564005e67b6009fade5006bcfa200138d4000018c200",
    "01adec4004fc862006e6210005ec940002889820001478200168b71001bf9300",
    "001ba100007f610001da100002e8420004fdca3002fb6a9000ad6bb1001bfd40",
    "005deb5101bcbc5101527b300146cc50019dfb40015cb410003c6000006c2000",
    "005cc61002cb9c3003c78c20019dd710007ed40001b9981001b88a20005dd710",
    "006cb62002daab3004c68e3002acde4000355c5000112a6001656b50006cd920",
)


def _images(lines: tuple[str, ...]) -> Floats:
    levels = [[LEVELS.index(pixel) for pixel in line] for line in lines]
    return np.array(levels, dtype=np.float64).reshape(len(lines), SIDE, SIDE)


DIGITS = _images(_DIGITS)  # (class, row, column)
MEANS = _images(_MEANS)


def nearest(image: npt.ArrayLike) -> int:
    """The class whose mean image is nearest, by the sum of squares: a plain judge that was trained on nothing else.

    Args:
        image: (8, 8), grey levels 0 to 16.
    """
    return int(((MEANS - np.asarray(image, dtype=np.float64)) ** 2).sum(axis=(1, 2)).argmin())
