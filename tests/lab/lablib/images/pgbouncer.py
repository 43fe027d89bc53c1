# SPDX-License-Identifier: MIT
"""PgBouncer of Debian behind the interface of the CloudNativePG image: all there is is /etc/pgbouncer/pgbouncer.ini."""

from __future__ import annotations

from pathlib import Path

from .base import BASE, PATH, copy
from .builder import SOURCES, ImageSpec, LayerSpec, Workspace
from .oci import Runtime

_SOURCE = SOURCES / "pgbouncer"


def _fill(work: Workspace) -> list[str]:
    folders = ("etc/pgbouncer", "var/log/pgbouncer", "run/pgbouncer")
    for name in folders:
        (work.root / name).mkdir(parents=True, exist_ok=True)
    for name in ("pgbouncer.ini", "userlist.txt"):
        (work.root / "etc/pgbouncer" / name).write_text("")
    # Debian has it in /usr/sbin, the image in /usr/bin.
    (work.root / "usr/bin").mkdir(parents=True, exist_ok=True)
    (work.root / "usr/bin/pgbouncer").symlink_to("../sbin/pgbouncer")
    return ["usr/bin/pgbouncer", *folders, *copy(_SOURCE / "rootfs", work.root)]


IMAGE = ImageSpec(
    reference="ghcr.io/cloudnative-pg/pgbouncer:1.24.0",
    layer=LayerSpec(
        name="pgbouncer",
        takes="about 10 s",
        inputs=(_SOURCE, Path(__file__)),
        below=(BASE,),
        packages=("pgbouncer",),
        fill=_fill,
        owners={"var/log/pgbouncer": 998, "run/pgbouncer": 998},
    ),
    runtime=Runtime(
        entrypoint=("./entrypoint.sh",),
        user="998",
        workdir="/",
        expose=("6432/tcp",),
        env={"PATH": PATH},
    ),
)
