"""Installs packages into a virtual environment of its own: `python infra/install.py FOLDER REQUIREMENTS …`.

`python -m venv` and pip do the work. Two things make it take half as long: pip runs from the wheel that Python
brings along, which is otherwise unpacked first, and what is installed is compiled on all cores.
"""

import compileall
import ensurepip
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path


def main(folder: Path, requirements: list[str]) -> int:
    wheel = bundled_pip()
    venv.create(folder, with_pip=wheel is None, symlinks=sys.platform != "win32")
    python = folder / "bin" / "python"
    pip = ["-m", "pip"] if wheel is None else [str(wheel / "pip")]
    listed = [part for one in requirements for part in ("-r", one)]
    options = ["--quiet", "--no-compile", "--disable-pip-version-check"]
    done = subprocess.run([python, *pip, "install", *options, *listed], check=False)
    if done.returncode == 0:
        compileall.compile_dir(folder / "lib", quiet=2, workers=0)
    return done.returncode


def bundled_pip() -> Path | None:
    """The wheel that ensurepip installs. Debian keeps it in a folder of its own."""
    beside = Path(ensurepip.__file__).parent / "_bundled"
    folders = [beside, *map(Path, filter(None, [sysconfig.get_config_var("WHEEL_PKG_DIR")]))]
    return next((wheel for folder in folders for wheel in folder.glob("pip-*.whl")), None)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
