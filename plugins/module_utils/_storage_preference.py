# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The names of storage classes that clusters are known to have, in order of preference.

Internal to rhpds.litemaas: no stable interface for other collections.
"""

from __future__ import annotations

from fnmatch import fnmatchcase

from ansible_collections.rhpds.litemaas.plugins.module_utils._platform import canonical

_AWS = ("gp3-csi", "gp2-csi")
_ODF = ("ocs-external-storagecluster-ceph-rbd", "ocs-storagecluster-ceph-rbd")
_HOSTPATH = ("hostpath-csi*", "hostpath-provisioner")
_LVM = ("lvms-*",)
# What a platform not named below takes, and what follows its own names on the others.
_ALL = (*_AWS, *_ODF, "thin-csi", "managed-csi", "standard-csi", *_LVM, *_HOSTPATH)
_CNV = (*_ODF, *_HOSTPATH)
KNOWN: dict[str, tuple[str, ...]] = {
    "AWS": _AWS,
    "VSphere": ("thin-csi",),
    "Azure": ("managed-csi",),
    "GCP": ("standard-csi",),
    "BareMetal": _CNV,
    "None": _CNV,
    "KubeVirt": _CNV,
    "External": _CNV,
}


def place(name: str, platform: str) -> int | None:
    """The place of a class in the order for a platform, from 0; None when its name is unknown."""
    own = KNOWN.get(canonical(platform), ())
    names = (*own, *(other for other in _ALL if other not in own))
    return next((n for n, pattern in enumerate(names) if fnmatchcase(name, pattern)), None)


def is_usual(name: str, platform: str) -> bool:
    """Whether a class of that name is one that the platform itself brings."""
    return any(fnmatchcase(name, pattern) for pattern in KNOWN.get(canonical(platform), ()))
