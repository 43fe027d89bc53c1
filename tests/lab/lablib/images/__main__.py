# SPDX-License-Identifier: MIT
"""`python -m lablib.images build | list | lock`, with PYTHONPATH=tests/lab."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from lablib import settings

from . import IMAGES, BuildError, build, litellm
from .builder import Builder


def default_cache() -> Path:
    return settings.cache_root() / "images"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m lablib.images", description=__doc__)
    parser.add_argument("--cache", type=Path, default=default_cache(), help="default: %(default)s")
    commands = parser.add_subparsers(dest="command", required=True)
    building = commands.add_parser(
        "build", help="build what the cache lacks and print the archives"
    )
    building.add_argument("only", nargs="*", metavar="REFERENCE", help="these images only")
    commands.add_parser("list", help="print each image and whether the cache has it")
    locking = commands.add_parser(
        "lock", help="resolve LiteLLM's Python packages anew into constraints.txt"
    )
    locking.add_argument("version", choices=litellm.VERSIONS)
    arguments = parser.parse_args()

    start = time.monotonic()

    def report(line: str) -> None:
        print(f"[{time.monotonic() - start:5.0f} s] {line}", file=sys.stderr, flush=True)

    try:
        if arguments.command == "build":
            for reference, archive in build(
                arguments.cache, report, arguments.only or None
            ).items():
                print(f"{reference}\t{archive}")
        elif arguments.command == "lock":
            litellm.lock(report, arguments.version)
        else:
            builder = Builder(arguments.cache, report)
            for image in IMAGES:
                archive = builder.archive_path(image)
                print(f"{image.reference}\t{archive if archive.exists() else 'not built'}")
    except (BuildError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
