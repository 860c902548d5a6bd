"""What the plugin costs a pytest run that does not use it: milliseconds, and files left behind.

    python benchmarks/startup.py [--runs 20] [--quick]

Runs ``pytest --collect-only -q -p no:cacheprovider`` on a one-line test file with the plugin and with ``-p no:persona``, by turns, each in
a folder of its own, and prints the minimum and the median. The aim is less than 10 ms more at the minimum; other programs on the
machine disturb the median. Exit code 1 where the plugin leaves a file that pytest without it does not leave.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

COMMAND = (sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider")
SIDES = {"with the plugin": (), "-p no:persona": ("-p", "no:persona")}


def timed(folder: Path, args: tuple[str, ...]) -> tuple[float, float]:
    """Milliseconds on the clock and of the processor for one run."""
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTEST_ADDOPTS", "PYTHONDONTWRITEBYTECODE")}
    used, begin = _processor(), time.perf_counter()
    subprocess.run((*COMMAND, *args), cwd=folder, env=environment, check=True, stdout=subprocess.DEVNULL)
    return (time.perf_counter() - begin) * 1e3, (_processor() - used) * 1e3


def _processor() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def files(folder: Path) -> set[str]:
    """Everything in a folder, by its name from there."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=20, help="runs a side")
    parser.add_argument("--quick", action="store_true", help="three runs a side")
    options = parser.parse_args()
    if "persona" not in {point.name for point in importlib.metadata.entry_points(group="pytest11")}:
        parser.error("pytest-persona is not installed for this Python, so that there is nothing to measure")
    runs = 3 if options.quick else max(options.runs, 1)
    with tempfile.TemporaryDirectory() as root:
        folders = {side: Path(root) / str(number) for number, side in enumerate(SIDES)}
        for side, folder in folders.items():
            folder.mkdir()
            (folder / "test_one.py").write_text("def test_one(): pass\n", encoding="utf-8")
            (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
            timed(folder, SIDES[side])  # byte code is compiled once
        times: dict[str, list[tuple[float, float]]] = {side: [] for side in SIDES}
        for number in range(runs):
            for side in sorted(SIDES, reverse=bool(number % 2)):  # neither side is always first
                times[side].append(timed(folders[side], SIDES[side]))
        plain = files(folders["-p no:persona"])
        left = sorted(files(folders["with the plugin"]) - plain)
    figures = {}
    print(f"{runs} runs a side, ms{'':14}clock: min  median    processor: min  median")
    for side, pairs in times.items():
        figures[side] = [f(column) for column in zip(*pairs, strict=True) for f in (min, statistics.median)]
        print(_line(side, figures[side], ""))
    print(_line("the plugin adds", [a - b for a, b in zip(*figures.values(), strict=True)], "+"))
    print(f"files that the plugin leaves behind: {', '.join(left) or 'none'}")
    return 1 if left else 0


def _line(label: str, figures: list[float], sign: str) -> str:
    clock, median, processor, typical = (f"{figure:{sign}.1f}" for figure in figures)
    return f"{label:24} {clock:>14} {median:>7} {processor:>17} {typical:>7}"


if __name__ == "__main__":
    sys.exit(main())
