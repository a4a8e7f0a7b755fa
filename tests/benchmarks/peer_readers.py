"""Run by the Python that LANDLINK_PEERS names: `peer_readers.py rapidocr|passporteye FOLDER PAGES`, lines as JSON."""

import json
import sys
from collections.abc import Callable
from pathlib import Path


def rapidocr() -> Callable[[str], list[str]]:
    """RapidOCR as its README calls it."""
    from rapidocr_onnxruntime import RapidOCR

    engine = RapidOCR(intra_op_num_threads=1)

    def read(path: str) -> list[str]:
        found, _ = engine(path)
        return [text for _, text, _ in found or ()]

    return read


def passporteye() -> Callable[[str], list[str]]:
    """PassportEye as its README calls it."""
    from passporteye import read_mrz

    def read(path: str) -> list[str]:
        try:
            zone = read_mrz(path)
        except Exception:  # noqa: BLE001 - what a peer raises on a page is a page that it does not read
            return []
        return zone.aux["text"].splitlines() if zone is not None else []

    return read


def main(peer: str, folder: str, pages: str) -> None:
    """One line of JSON a page."""
    read = {"rapidocr": rapidocr, "passporteye": passporteye}[peer]()
    for number in range(int(pages)):
        print(json.dumps(read(str(Path(folder) / f"{number}.png"))), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
