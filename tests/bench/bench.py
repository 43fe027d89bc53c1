#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`make bench`: this collection side by side with the common ways, at scale, on the lab's simulated nodes.

Everything is run, whatever fails; the table goes to docs/PERFORMANCE.md. `--quick` is for developing: few users, one
repetition, no document. The exit status is 1 when a run failed, or when a full run missed a target.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OUTPUT = ROOT / "tests" / "output" / "bench"
DOCUMENT = ROOT / "docs" / "PERFORMANCE.md"
sys.path.insert(0, str(Path(__file__).resolve().parent))

from benchlib import document, figures  # noqa: E402
from benchlib.runs import RunFailed  # noqa: E402
from benchlib.scenarios import FULL, QUICK, Bench  # noqa: E402

STARTED = time.monotonic()


def say(text: str) -> None:
    """One line, with the time since the start in front."""
    minutes, seconds = divmod(int(time.monotonic() - STARTED), 60)
    print(f"[bench {minutes}:{seconds:02d}] {text}", flush=True)


def machine() -> str:
    """The machine and what ran on it, in a sentence."""
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return (
        f"{os.cpu_count()} CPU cores, {pages / 2**30:.0f} GiB of memory, Linux "
        f"{platform.release().split('-')[0]}, Python {platform.python_version()}, ansible-core "
        f"{version('ansible-core')}, kubernetes.core and kubectl as in requirements-dev.txt and "
        "the lab (Kubernetes 1.34)."
    )


def run(names: list[str], *, quick: bool) -> int:
    """Run the scenarios, and print and write the tables."""
    shutil.rmtree(OUTPUT, ignore_errors=True)
    OUTPUT.mkdir(parents=True)
    extent = QUICK if quick else FULL
    if quick:
        say("QUICK: few users, one repetition each; these are no figures to quote")
    bench = Bench(extent, OUTPUT, say)
    failed = []
    try:
        for name, fresh, scenario in bench.scenarios():
            if names and name not in names:
                continue
            say(f"{name}: a fresh cluster first")
            try:
                fresh()
                say(name)
                scenario()
            except (RunFailed, subprocess.SubprocessError, ValueError) as error:
                say(f"{name}: FAILED: {error}")
                failed.append(name)
    finally:
        bench.close()
    rows = document.rows(bench.results, extent)
    print(f"\n{figures.table(rows)}\n\n{document.runs(bench.results)}\n")
    for name in failed:
        say(f"{name} did not run to its end; logs in {OUTPUT}")
    if quick or names:
        say("no document is written: that is for whole runs")
        return bool(failed)
    DOCUMENT.write_text(document.page(bench.results, extent, machine()), encoding="utf-8")
    missed = [row.figure for row in rows if row.met is False]
    say(f"{DOCUMENT.relative_to(ROOT)} is written; targets missed: {', '.join(missed) or 'none'}")
    return bool(failed or missed)


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few users, once; no document")
    parser.add_argument("--only", action="append", default=[], help="only this scenario, by name")
    arguments = parser.parse_args()
    return run(arguments.only, quick=arguments.quick)


if __name__ == "__main__":
    sys.exit(main())
