"""`python -m tests.training FOLDER`: draws pages, trains the locator and the recogniser, writes FOLDER/model.npz.

The same bytes each time: `--check` ends with 1 when they are not those of the model that is shipped. Every process has
one thread, and the libraries keep to instructions that every processor of the last ten years has. On the CPU, within
the hour on two cores. Needs the versions of requirements.txt beside this file and Debian's fonts-ocr-b, fonts-dejavu
and fonts-liberation. Nothing of this runs on a box or in the tests.
"""

import argparse
import hashlib
import os
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Final

import numpy as np

ROOT: Final = Path(__file__).parents[2]
SHIPPED: Final = ROOT / "appliance" / "ocr" / "model.npz"
NETWORKS: Final = ("locator", "recogniser")
DRAWERS: Final = 2
FIXED: Final = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "PYTHONHASHSEED": "0",
    "ATEN_CPU_CAPABILITY": "avx2",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "MKL_CBWR": "AVX2",
    "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR",
    "OPENBLAS_CORETYPE": "Haswell",
    "OPENCV_CPU_DISABLE": "AVX512-SKX,AVX512-ICL",
    "OPENCV_IPP": "disabled",
}
"""A sum's last bit depends on the order of its terms: on the number of threads and the width of the registers."""


def main() -> None:
    """Draw, train, write, compare."""
    parser = argparse.ArgumentParser(prog="python -m tests.training")
    parser.add_argument("folder", type=Path, help="is made; nothing that lies there is used")
    parser.add_argument("--check", action="store_true", help="end with 1 when the bytes are not the shipped model's")
    asked = parser.parse_args()
    folder: Path = asked.folder
    folder.mkdir()
    begun = time.monotonic()
    _together(*(("drawing", str(folder), str(first), str(DRAWERS)) for first in range(DRAWERS)))
    print(f"drawn after {time.monotonic() - begun:.0f} s", flush=True)
    _together(*(("learning", str(folder), name) for name in NETWORKS))
    _join(folder)
    print(f"trained after {time.monotonic() - begun:.0f} s")
    print(", ".join(f"{name} {version(name)}" for name in ("torch", "numpy", "opencv-python-headless", "pillow")))
    made, shipped = (hashlib.sha256(path.read_bytes()).hexdigest() for path in (folder / "model.npz", SHIPPED))
    print(f"model.npz: SHA-256 {made}; {'the shipped one' if made == shipped else f'the shipped one has {shipped}'}")
    if asked.check and made != shipped:
        sys.exit(1)


def _together(*programs: tuple[str, ...]) -> None:
    """Run programs of this folder side by side; CalledProcessError when one fails."""
    commands = [[sys.executable, "-m", f"tests.training.{name}", *arguments] for name, *arguments in programs]
    running = [subprocess.Popen(command, cwd=ROOT, env=os.environ | FIXED) for command in commands]
    for process, command in zip(running, commands, strict=True):
        if process.wait():
            raise subprocess.CalledProcessError(process.returncode, command)


def _join(folder: Path) -> None:
    """Both networks in one file, not compressed: float16 hardly shrinks, and a compressor has versions."""
    weights: dict[str, np.ndarray] = {}
    for name in NETWORKS:
        with np.load(folder / f"{name}.npz", allow_pickle=False) as file:
            weights |= {layer: file[layer] for layer in file.files}
    with (folder / "model.npz").open("wb") as file:
        np.savez(file, allow_pickle=False, **weights)


if __name__ == "__main__":
    main()
