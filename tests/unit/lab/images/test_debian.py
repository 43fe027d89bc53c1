# SPDX-License-Identifier: MIT
"""Debian packages: where their files go in an image, and which are left out."""

from __future__ import annotations

import pytest
from lablib.images.debian import find_mirror, merged


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("./", None),
        ("./bin", None),
        ("./bin/bash", "usr/bin/bash"),
        ("./lib64/ld-linux-x86-64.so.2", "usr/lib64/ld-linux-x86-64.so.2"),
        ("./usr/lib/x86_64-linux-gnu/libc.so.6", "usr/lib/x86_64-linux-gnu/libc.so.6"),
        ("./library/x", "library/x"),
        ("./etc/profile", "etc/profile"),
        ("./usr/share/doc/bash/copyright", None),
        ("./usr/share/doc", None),
        ("./usr/share/documents", "usr/share/documents"),
        ("./usr/share/zoneinfo/Etc/UTC", "usr/share/zoneinfo/Etc/UTC"),
        ("./usr/lib/x86_64-linux-gnu/gconv/EUC-JP.so", None),
        ("./usr/lib/python3.11/test/test_os.py", None),
        ("./usr/lib/python3.11/testing.py", "usr/lib/python3.11/testing.py"),
        ("./var/lib/dpkg/info", None),
    ],
)
def test_merged(path: str, wanted: str | None) -> None:
    assert merged(path) == wanted


@pytest.mark.parametrize(
    ("targets", "wanted"),
    [
        (
            "Debian-Security http://m/security/\nDebian http://m/debian/\nDebian http://n/\n",
            "http://m/debian/",
        ),
        ("Node http://m/node/\n", None),
        ("", None),
    ],
)
def test_find_mirror(targets: str, wanted: str | None) -> None:
    assert find_mirror(targets) == wanted
