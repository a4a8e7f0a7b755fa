"""What a Pi has and a desk computer has not is imported only where it is used."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
BLOCKED = ("picamera2", "libcamera", "lgpio")


def test_every_driver_imports_where_there_is_no_pi() -> None:
    modules = sorted(
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in (ROOT / "drivers").rglob("*.py")
        if path.name not in ("__init__.py", "__main__.py")
    )
    assert "drivers.camera" in modules
    code = (
        "import importlib, sys\n"
        f"for name in {BLOCKED!r}: sys.modules[name] = None\n"
        f"for name in {modules!r}: importlib.import_module(name)\n"
        "import appliance.wiring, appliance.hardware_wiring\n"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], cwd=ROOT, check=True)


def test_the_box_loads_no_drawing_library_for_its_simulated_camera() -> None:
    code = "import sys, drivers.simulators.camera, drivers.camera; assert 'PIL' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
