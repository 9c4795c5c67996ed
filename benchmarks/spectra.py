"""Speed of the chain from raw spectra to features beside MALDIquant, and its memory.

Run from the project's folder, on Linux, with R and its package MALDIquant installed (on Debian
r-base-core and r-cran-maldiquant):

    python benchmarks/spectra.py

Writes benchmarks/results/spectra.md. Every run is a process of its own, the ways taking turns.
1,000 spectra take 640 MB in the folder for temporary files, and the processed profiles that
fit_transform keeps there up to 2 GB.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from crossplate.spectra.alignment import match_nearest
from crossplate.spectra.checking import FloatArray
from crossplate.spectra.pipeline import SpectraPipeline
from crossplate.spectra.pipeline_settings import preset_settings
from crossplate.spectra.spectrum import Spectrum
from crossplate.spectra.spectrum_file import SpectrumFile

RESULTS = Path(__file__).parent / "results" / "spectra.md"
R_SCRIPT = Path(__file__).parent / "maldiquant_chain.R"
POINTS, IONS = 40_000, 150
N_SPECTRA, ROUNDS = 1_000, 3
SIZES = (1_000, 3_000, 10_000)
CORES = 2
WAYS = [("crossplate", 1), ("crossplate", CORES), ("MALDIquant", 1), ("MALDIquant", CORES)]
SAME_PPM = 200.0
"""Farthest that one feature may lie in both results; the points lie 34 to 108 ppm apart."""

MZ = np.linspace(np.sqrt(2000.0), np.sqrt(20000.0), POINTS) ** 2


def simulated(seed: int) -> FloatArray:
    """Ion counts at MZ: ions common to all spectra, each time shifted and of other height."""
    common = np.random.default_rng(0)
    place = np.sort(common.uniform(np.sqrt(2020.0), np.sqrt(19800.0), IONS)) ** 2
    usual = common.lognormal(7.0, 1.0, IONS)
    rng = np.random.default_rng(seed + 1)
    place = place * (1.0 + rng.normal(0.0, 300e-6) + rng.normal(0.0, 50e-6, IONS))
    height = usual * rng.lognormal(0.0, 0.3, IONS)
    counts = 400.0 * np.exp(-(MZ - 2000.0) / 3000.0) + 100.0
    for at, its in zip(np.searchsorted(MZ, place), range(IONS), strict=True):
        around = slice(max(int(at) - 100, 0), int(at) + 100)
        width = 12.0 * (MZ[at] - MZ[at - 1])
        counts[around] += height[its] * np.exp(-0.5 * ((MZ[around] - place[its]) / width) ** 2)
    return rng.poisson(counts).astype(np.float64)


@dataclass(frozen=True)
class SimulatedFile(SpectrumFile):
    """A spectrum that is made when it is read, so that 10,000 need no disk."""

    seed: int

    def read(self) -> Spectrum:
        """Make the spectrum."""
        return Spectrum.of(MZ, simulated(self.seed), self.name)


def write_spectra(file: Path, n: int) -> None:
    """All spectra in one file: for each, m/z and then intensities as doubles."""
    with file.open("wb") as stream:
        for seed in range(n):
            stream.write(MZ.tobytes())
            stream.write(simulated(seed).tobytes())


@dataclass(frozen=True)
class StoredSpectrum(SpectrumFile):
    """One of the spectra in that file."""

    number: int

    def read(self) -> Spectrum:
        """Read its m/z and intensities."""
        size = 2 * POINTS
        points = np.fromfile(self.path, count=size, offset=8 * size * self.number)
        return Spectrum.of(points[:POINTS], points[POINTS:], self.name, source=self.source)


def chain_of_crossplate(file: Path, n: int, cores: int, features: Path) -> float:
    """Seconds from the file of raw spectra to the matrix, which is written to another."""
    spectra = [StoredSpectrum(file, f"s{i}", file.name, i) for i in range(n)]
    start = time.perf_counter()
    pipeline = SpectraPipeline(preset_settings("maldi-proteins"), n_jobs=cores)
    found = pipeline.fit_transform(spectra)
    seconds = time.perf_counter() - start
    if len(found.intensity) != n:
        raise RuntimeError(f"{n - len(found.intensity)} spectra were left out")
    np.savetxt(features, np.vstack([found.feature_mz, found.intensity]))
    return seconds


def memory_of_tree(process: int) -> int:
    """Bytes of a process and all its descendants, beyond files mapped into memory."""
    try:
        status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
        own = next((line for line in status.splitlines() if line.startswith("RssAnon")), "x 0 kB")
        children = [
            int(child)
            for task in Path(f"/proc/{process}/task").iterdir()
            for child in (task / "children").read_text(encoding="ascii").split()
        ]
    except OSError:  # it has ended meanwhile
        return 0
    return 1024 * int(own.split()[1]) + sum(map(memory_of_tree, children))


def measure_memory(n: int) -> dict[str, float]:
    """Highest memory and seconds of fit_transform on files, in this process and its children."""
    spectra = [SimulatedFile(Path("none"), f"s{i}", "", i) for i in range(n)]
    before = memory_of_tree(os.getpid())
    highest = [before]
    stop = threading.Event()

    def watch() -> None:
        while not stop.wait(0.05):
            highest[0] = max(highest[0], memory_of_tree(os.getpid()))

    watcher = threading.Thread(target=watch)
    watcher.start()
    start = time.perf_counter()
    pipeline = SpectraPipeline(preset_settings("maldi-proteins"), n_jobs=CORES)
    found = pipeline.fit_transform(spectra)
    seconds = time.perf_counter() - start
    stop.set()
    watcher.join()
    return {
        "memory": highest[0] - before,
        "seconds": seconds,
        "rows": found.intensity.shape[0],
        "features": found.intensity.shape[1],
    }


def output_of(command: list[str]) -> str:
    """What a process prints."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stderr}")
    return done.stdout


def run(way: str, cores: int, file: Path, n: int, features: Path) -> tuple[float, list[str]]:
    """Seconds of one way in a fresh process, and the versions of R and MALDIquant."""
    if way == "crossplate":
        command = [sys.executable, __file__, "--one", str(file), str(n), str(cores), str(features)]
    else:
        command = ["Rscript", str(R_SCRIPT), str(file), str(n), str(POINTS), str(cores)]
        command.append(str(features))
    seconds, *versions = output_of(command).split()
    print(f"{way}, {cores} cores, {n} spectra: {float(seconds):.1f} s", flush=True)
    return float(seconds), versions


def agreement(ours: Path, theirs: Path) -> str:
    """Sentence on how far the two matrices are the same."""
    one, other = np.loadtxt(ours), np.loadtxt(theirs)
    its, the_other = match_nearest(one[0], other[0], SAME_PPM)
    pairs = one[1:, its].ravel(), other[1:, the_other].ravel()
    return (
        f"crossplate finds {one.shape[1]} features and MALDIquant {other.shape[1]}; "
        f"{len(its)} are the same within {SAME_PPM:.0f} ppm, and their intensities correlate with "
        f"{np.corrcoef(*pairs)[0, 1]:.4f}."
    )


def measure_speed(n: int, rounds: int) -> dict[str, Any]:
    """Seconds of all ways, taking turns, and how far the results agree."""
    seconds: dict[tuple[str, int], list[float]] = {way: [] for way in WAYS}
    versions: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        file = place / "spectra.bin"
        write_spectra(file, n)
        for _ in range(rounds):
            for (way, cores), found in seconds.items():
                taken, told = run(way, cores, file, n, place / f"{way}.txt")
                found.append(taken)
                versions = told or versions
        same = agreement(place / "crossplate.txt", place / "MALDIquant.txt")
    return {"n": n, "seconds": seconds, "versions": versions, "agreement": same}


def speed_rows(speed: dict[str, Any]) -> list[str]:
    """Rows of the table of speed."""
    theirs = min(statistics.median(speed["seconds"]["MALDIquant", cores]) for cores in (1, CORES))
    rows = []
    for (way, cores), found in speed["seconds"].items():
        middle = statistics.median(found)
        rows.append(
            f"| {way} | {cores} | {middle:.1f} ({min(found):.1f}–{max(found):.1f}) "
            f"| {speed['n'] / middle:.0f} | {theirs / middle:.1f} |"
        )
    return rows


def measured_memory(sizes: list[int]) -> dict[int, dict[str, float]]:
    """Memory and seconds of each number of spectra, each in a process of its own."""
    found = {}
    for n in sizes:
        found[n] = json.loads(output_of([sys.executable, __file__, "--memory-of", str(n)]))
        print(f"{n} spectra: {found[n]['memory'] / 1e6:.0f} MB", flush=True)
    return found


def memory_rows(memory: dict[int, dict[str, float]]) -> list[str]:
    """Rows of the table of memory, and a sentence on how it grows."""
    rows = [
        f"| {n:,} | {16e-6 * POINTS * n:,.0f} | {found['memory'] / 1e6:.0f} "
        f"| {found['rows']:,} × {found['features']} | {n / found['seconds']:.0f} |"
        for n, found in memory.items()
    ]
    few, many = min(memory), max(memory)
    if few < many:
        grown = (memory[many]["memory"] - memory[few]["memory"]) / (many - few) / 1e3
        rows.append(
            f"\nA further spectrum takes {grown:.0f} KB, for its peaks and features; its profile "
            f"would take {16e-3 * POINTS:.0f}."
        )
    return rows


def write_results(
    options: argparse.Namespace, speed: dict[str, Any], memory: dict[int, dict[str, float]]
) -> None:
    """Write the Markdown file."""
    packages = ("crossplate", "numpy", "scipy", "joblib")
    r, maldiquant = speed["versions"]
    sizes = " ".join(map(str, options.memory))
    text = f"""# From raw spectra to features: speed beside MALDIquant, and memory

Command: `python benchmarks/spectra.py --spectra {options.spectra} --rounds {options.rounds} \
--memory {sizes}`
Date: {date.today()}. {platform.machine()}, {os.cpu_count()} cores (a shared machine), \
OMP_NUM_THREADS {os.environ.get("OMP_NUM_THREADS", "not set")}.
Python {platform.python_version()}, {", ".join(f"{name} {version(name)}" for name in packages)}; \
R {r}, MALDIquant {maldiquant}.

## Speed
{options.spectra:,} simulated spectra of {POINTS:,} points with {IONS} ions, m/z 2,000 to 20,000. \
The clock runs from a file of
doubles, the same for both, to the matrix of features; it includes reading and the start of further
processes, but not that of Python and R. Square root, Savitzky-Golay (half-window 10), SNIP (100),
total ion current, noise and peaks (half-window 20, S/N 3), LOWESS alignment to peaks in 90% of the
spectra (S/N 5, 2,000 ppm), bins (1,000 ppm) found in 25%, matrix with missed peaks read from the
profile: the preset maldi-proteins and `benchmarks/maldiquant_chain.R`. Two cores are `n_jobs=2`
here and `mc.cores=2` in R, with which every step sends the spectra back to the first process.
Seconds: median (lowest–highest) of {options.rounds} rounds in which the ways take turns; ratio: \
the faster of
the two medians of MALDIquant ÷ this.

| way | cores | seconds | spectra/s | ratio |
|---|---|---|---|---|
"""
    text += "\n".join(speed_rows(speed)) + f"\n\n{speed['agreement']}\n"
    text += f"""
## Memory
`SpectraPipeline.fit_transform` on references to files, {CORES} processes, spectra made when they \
are read.
Memory: highest of the process and its children together, beyond mapped files and above what there
was before. Raw: what all spectra would take. Spectra/s include making them.

| spectra | raw, MB | memory, MB | features | spectra/s |
|---|---|---|---|---|
"""
    RESULTS.write_text(text + "\n".join(memory_rows(memory)) + "\n", encoding="utf-8")


def main() -> None:
    """Measure speed and memory and write the file, or measure one of them in this process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spectra", type=int, default=N_SPECTRA, help="spectra of the speed")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="rounds of the speed")
    parser.add_argument(
        "--memory", type=int, nargs="+", default=SIZES, help="numbers of spectra of the memory"
    )
    parser.add_argument("--one", nargs=4, help=argparse.SUPPRESS)
    parser.add_argument("--memory-of", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        file, n, cores, features = options.one
        print(chain_of_crossplate(Path(file), int(n), int(cores), Path(features)))
    elif options.memory_of:
        print(json.dumps(measure_memory(options.memory_of)))
    else:
        memory = measured_memory(options.memory)
        write_results(options, measure_speed(options.spectra, options.rounds), memory)


if __name__ == "__main__":
    main()
