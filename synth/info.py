"""What synth runs on: versions, threads, processor, graphics cards, cache."""

from __future__ import annotations

import os
import platform
from importlib import metadata
from typing import Any

from synth._version import __version__

__all__ = ["facts", "lines"]

_PACKAGES = {
    "numpy": "numpy",
    "numba": "numba",
    "llvmlite": "llvmlite",
    "scipy": "scipy",
    "skimage": "scikit-image",
    "cv2": "opencv-python",
    "pillow": "pillow",
    "tifffile": "tifffile",
}
#: the vector instructions that make a difference to the kernels
_FEATURES = ("sse4.2", "avx", "avx2", "fma", "avx512f", "avx512bw", "avx512vnni", "neon", "sve")


def facts() -> dict[str, Any]:
    """Return the facts as plain values, ready for JSON."""
    from llvmlite import binding

    from synth.kernels._jit import thread_count

    has = binding.get_host_cpu_features()
    return {
        "synth": __version__,
        "python": platform.python_version(),
        "system": platform.platform(),
        "packages": {name: _version(package) for name, package in _PACKAGES.items()},
        "cpu": {
            "name": binding.get_host_cpu_name(),
            "cores": os.cpu_count(),
            "threads": thread_count(),
            "features": [feature for feature in _FEATURES if has.get(feature)],
        },
        "gpu": _gpu(),
        "cache": _cache(),
    }


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _gpu() -> dict[str, Any]:
    try:
        import cupy
    except Exception as error:  # a broken driver raises other things than ImportError
        return {"cupy": None, "devices": [], "why": _first_line(error)}
    try:
        runtime = cupy.cuda.runtime
        devices = [
            runtime.getDeviceProperties(number)["name"].decode()
            for number in range(runtime.getDeviceCount())
        ]
    except Exception as error:
        return {"cupy": cupy.__version__, "devices": [], "why": _first_line(error)}
    return {"cupy": cupy.__version__, "devices": devices, "why": None}


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def _cache() -> dict[str, Any]:
    from synth.compilation import cache_folder

    folder = cache_folder()
    return {
        "folder": str(folder) if folder else None,
        "writable": folder is not None and os.access(_existing(folder), os.W_OK),
        "kernels": len(list(folder.parent.rglob("*.nbi"))) if folder else 0,
    }


def _existing(folder: Any) -> Any:
    while not folder.exists():
        folder = folder.parent
    return folder


def lines(found: dict[str, Any]) -> list[str]:
    """Return the facts as lines for people."""
    cpu, gpu, cache = found["cpu"], found["gpu"], found["cache"]
    packages = ", ".join(f"{name} {version}" for name, version in found["packages"].items())
    if gpu["devices"]:
        graphics = f"{', '.join(gpu['devices'])} (CuPy {gpu['cupy']})"
    else:
        graphics = f"none ({gpu['why'] or 'CuPy finds no device'})"
    if cache["folder"] is None:
        kept = "nowhere: no folder is writable; set NUMBA_CACHE_DIR to one that is"
    else:
        kept = f"{cache['folder']} ({'' if cache['writable'] else 'not '}writable)"
    return [
        f"synth     {found['synth']}",
        f"python    {found['python']} on {found['system']}",
        f"packages  {packages}",
        f"cpu       {cpu['name']}, {cpu['cores']} cores: {' '.join(cpu['features'])}",
        f"threads   {cpu['threads']} (SYNTH_NUM_THREADS changes it)",
        f"gpu       {graphics}",
        f"cache     {kept}, {cache['kernels']} kernels compiled",
    ]
