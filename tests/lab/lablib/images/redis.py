# SPDX-License-Identifier: MIT
"""Redis 7 of Debian behind the interface of the sclorg image."""

from __future__ import annotations

from pathlib import Path

from .base import BASE, PATH, copy
from .builder import SOURCES, ImageSpec, LayerSpec, Workspace
from .oci import Runtime

_SOURCE = SOURCES / "redis"
_HOME = "var/lib/redis"


def _fill(work: Workspace) -> list[str]:
    (work.root / _HOME / "data").mkdir(parents=True, exist_ok=True)
    # The image's own settings: what the sclorg image's build leaves active in the file.
    conf = work.root / "etc/redis/redis.conf"
    conf.parent.mkdir(parents=True, exist_ok=True)
    conf.write_text(f"protected-mode no\ndir /{_HOME}/data\n")
    return [_HOME, "etc/redis/redis.conf", *copy(_SOURCE / "rootfs", work.root)]


IMAGE = ImageSpec(
    reference="quay.io/sclorg/redis-7-c9s:20260923",
    layer=LayerSpec(
        name="redis",
        takes="about 10 s",
        inputs=(_SOURCE, Path(__file__)),
        below=(BASE,),
        packages=("redis-server",),
        fill=_fill,
        owners={_HOME: 1001, "etc/redis": 1001},
        group_writable=(_HOME, "etc/redis"),
    ),
    runtime=Runtime(
        entrypoint=("container-entrypoint",),
        cmd=("run-redis",),
        user="1001",
        workdir="/opt/app-root/src",
        expose=("6379/tcp",),
        env={
            "PATH": PATH,
            "HOME": f"/{_HOME}",
            "REDIS_CONF": "/etc/redis/redis.conf",
            "REDIS_PREFIX": "/usr",
            "REDIS_VERSION": "7",
        },
        labels={"io.openshift.expose-services": "6379:redis"},
    ),
)
