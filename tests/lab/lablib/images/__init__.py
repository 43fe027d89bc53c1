# SPDX-License-Identifier: MIT
"""The lab's container images, built from package registries alone.

They carry the names and the interface of the real images, so that the manifests under test run unchanged. Each image is
a module here and a folder of sources in `tests/lab/images/`. No container engine, no root: an image is a stack of tars.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from . import litellm, litemaas, model_server, pause, pgbouncer, postgresql, redis
from .builder import Builder, ImageSpec
from .host import BuildError

__all__ = ["IMAGES", "REFERENCES", "BuildError", "build"]

# Smallest first: the lab's node can start its first pods while the last image is still being built.
IMAGES: tuple[ImageSpec, ...] = (
    pause.IMAGE,
    model_server.IMAGE,
    redis.IMAGE,
    pgbouncer.IMAGE,
    postgresql.IMAGE,
    litellm.IMAGE,
    litellm.IMAGE_1_81,
    litemaas.BACKEND,
    litemaas.FRONTEND,
)
# Built only when asked for by name: the demo does without.
ON_DEMAND = tuple(
    image.reference for image in (litellm.IMAGE_1_81, litemaas.BACKEND, litemaas.FRONTEND)
)
REFERENCES: list[str] = [image.reference for image in IMAGES]


def build(
    cache: Path, report: Callable[[str], None], only: Sequence[str] | None = None
) -> dict[str, Path]:
    """Return image reference → OCI archive for `ctr -n k8s.io images import`, building what `cache` lacks.

    `only` names the references; without it, all but those `ON_DEMAND`. `report` gets one line at a time, at least every 20 s.
    Raises `BuildError` with the failed command and the end of its output, `ValueError` for an unknown reference.
    """
    unknown = sorted(set(only or ()) - set(REFERENCES))
    if unknown:
        raise ValueError(f"no such image: {', '.join(unknown)}. There are: {', '.join(REFERENCES)}")
    wanted = only or [reference for reference in REFERENCES if reference not in ON_DEMAND]
    builder = Builder(cache, report)
    return {image.reference: builder.image(image) for image in IMAGES if image.reference in wanted}
