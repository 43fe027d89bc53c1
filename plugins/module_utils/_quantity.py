# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kubernetes quantities as numbers: ``500m`` is 0.5, ``1Gi`` is 1073741824.

Internal to rhpds.litemaas: no stable interface for other collections.
"""

from __future__ import annotations

import re
from decimal import Decimal

# The grammar of k8s.io/apimachinery/pkg/api/resource: an exponent and a suffix exclude each other,
# and a bare E is exa.
_QUANTITY = re.compile(
    r"(?P<number>[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+))"
    r"(?:(?P<suffix>[KMGTPE]i|[numkMGTPE])|[eE](?P<exponent>[+-]?[0-9]{1,3}))?"
)
_FACTOR = {
    "n": Decimal("1e-9"),
    "u": Decimal("1e-6"),
    "m": Decimal("1e-3"),
    "k": Decimal(10**3),
    **{unit: Decimal(1000**power) for power, unit in enumerate("MGTPE", start=2)},
    **{f"{unit}i": Decimal(1024**power) for power, unit in enumerate("KMGTPE", start=1)},
}


def parse(text: str) -> Decimal:
    """The number that *text* stands for; ValueError when it is no quantity."""
    found = _QUANTITY.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no quantity such as 500m, 2 or 1Gi")
    number = Decimal(found["number"])
    if found["exponent"]:
        return number.scaleb(int(found["exponent"]))
    return number * _FACTOR.get(found["suffix"] or "", Decimal(1))
