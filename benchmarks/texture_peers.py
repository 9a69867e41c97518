"""Textures of synth and of its peers behind one call each; peers are imported inside the call.

Adapters take ``exemplar`` (rows, columns[, 3]) uint8 and ``shape``, two whole numbers, and give a
texture of that shape and the exemplar's channels.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness import Method

__all__ = ["large_methods", "temperature_methods", "texture_methods"]

Image = NDArray[np.uint8]

_RESYNTHESIZER = ("resynthesizer", "numpy")
_RESYNTHESIZER_NOTE = (
    "untiled, without context at the borders, else its defaults; takes no seed, works on RGB "
    "always, and makes a quarter more than the 1024×1024 pixels"
)
_HERE = f"{__name__}:"


def texture_methods() -> list[Method]:
    """List everything that makes a texture, synth first."""
    return [
        *(_synth(name) for name in ("auto", "patchmatch", "quilting", "efros-leung")),
        Method(
            "resynthesizer",
            f"{_HERE}resynthesizer",
            {},
            _RESYNTHESIZER,
            ("resynthesizer",),
            note=_RESYNTHESIZER_NOTE,
        ),
        Method(
            "geone-deesse",
            f"{_HERE}geone",
            {"neighbours": 24, "threshold": 0.05, "scanned": 0.25},
            ("geone",),
            ("geone",),
            note="24 neighbours, threshold 0.05, a quarter of the exemplar scanned, one path of "
            "post-processing; DeeSse is free for research and teaching only",
        ),
        Method(
            "g2s-quicksampling",
            f"{_HERE}quick_sampling",
            {"neighbours": 25, "best": 1.2},
            ("G2S",),
            ("G2S",),
            note="its package on PyPI is a client; without a G2S server on this machine it fails",
        ),
    ]


def large_methods() -> list[Method]:
    """List what makes a megapixel, synth with one thread and with two."""
    return [
        *(
            _synth(name, f"-{threads}t", threads)
            for name in ("auto", "patchmatch", "quilting")
            for threads in (1, 2)
        ),
        Method(
            "resynthesizer",
            f"{_HERE}resynthesizer",
            {},
            _RESYNTHESIZER,
            ("resynthesizer",),
            note=_RESYNTHESIZER_NOTE,
        ),
    ]


def temperature_methods() -> list[Method]:
    """List settings of `synth.EfrosLeung`, from the paper's to those that copy less."""
    settings: dict[str, dict[str, Any]] = {
        "ε 0.1 (the paper's)": {"eps": 0.1},
        "ε 0.5": {"eps": 0.5},
        "ε 1": {"eps": 1.0},
        "softmax_relative 0.1": {"weighting": "softmax_relative", "temperature": 0.1},
        "softmax_relative 0.3": {"weighting": "softmax_relative", "temperature": 0.3},
        "ε 0.1, max_copy 16": {"eps": 0.1, "max_copy": 16},
        "ε 0.1, max_copy 6": {"eps": 0.1, "max_copy": 6},
    }
    return [
        Method(name, f"{_HERE}synth_model", options, distributions=("numba",), compiles=True)
        for name, options in settings.items()
    ]


def synth_texture(
    exemplar: Image, shape: NDArray[np.int64], *, seed: int, method: str
) -> NDArray[Any]:
    """`synth.synthesize`."""
    import synth

    rows, columns = shape.tolist()
    made = synth.synthesize(exemplar, (rows, columns), method=method, seed=seed)  # type: ignore[arg-type]
    return np.asarray(made)


def synth_model(
    exemplar: Image,
    shape: NDArray[np.int64],
    *,
    seed: int,
    max_copy: int | None = None,
    **options: Any,
) -> NDArray[Any]:
    """`synth.EfrosLeung`, onion order."""
    import synth

    rows, columns = shape.tolist()
    model = synth.EfrosLeung(**options).fit(exemplar)
    return np.asarray(model.sample((rows, columns), max_copy=max_copy, seed=seed).image)


def resynthesizer(exemplar: Image, shape: NDArray[np.int64], *, seed: int) -> Image:
    """`resynthesizer.resynthesize` on a canvas of the exemplar and a hole; it seeds itself."""
    from PIL import Image as Pillow
    from resynthesizer import (  # type: ignore[import-not-found]
        getDefaultParams,
        resynthesize,
    )

    parameters = getDefaultParams()
    parameters.isMakeSeamlesslyTileableHorizontally = 0
    parameters.isMakeSeamlesslyTileableVertically = 0
    parameters.matchContextType = 0
    height, width = exemplar.shape[:2]
    rows, columns = shape.tolist()
    canvas = np.zeros((max(height, rows), width + columns, 3), np.uint8)
    canvas[:height, :width] = exemplar if exemplar.ndim == 3 else exemplar[..., np.newaxis]
    # what is below a lower exemplar is made too: left known, its black would be copied
    hole = np.full(canvas.shape[:2], 255, np.uint8)
    hole[:height, :width] = 0
    made = np.asarray(
        resynthesize(Pillow.fromarray(canvas), Pillow.fromarray(hole), parameters), np.uint8
    )[:rows, width:]
    return np.ascontiguousarray(made if exemplar.ndim == 3 else made[..., 0])


def geone(
    exemplar: Image,
    shape: NDArray[np.int64],
    *,
    seed: int,
    neighbours: int,
    threshold: float,
    scanned: float,
) -> Image:
    """Direct sampling by `geone.deesseinterface.deesseRun`, all channels of a pixel at once."""
    from geone import deesseinterface, img  # type: ignore[import-not-found]

    planes = exemplar if exemplar.ndim == 3 else exemplar[..., np.newaxis]
    height, width, channels = planes.shape
    names = [f"channel{number}" for number in range(channels)]
    values = np.moveaxis(planes, -1, 0)[:, np.newaxis].astype(np.float64)
    picture = img.Img(nx=width, ny=height, nz=1, nv=channels, val=values, varname=names)
    rows, columns = shape.tolist()
    problem = deesseinterface.DeesseInput(
        nx=columns,
        ny=rows,
        nz=1,
        nv=channels,
        varname=names,
        nTI=1,
        TI=picture,
        simType="sim_variable_vector",
        distanceType=["continuous"] * channels,
        nneighboringNode=[neighbours] * channels,
        distanceThreshold=[threshold] * channels,
        maxScanFraction=scanned,
        npostProcessingPathMax=1,
        seed=seed + 1,
        nrealization=1,
    )
    made = deesseinterface.deesseRun(problem, nthreads=1, verbose=0)["sim"][0].val[:, 0]
    texture = np.rint(np.moveaxis(made, 0, -1)).astype(np.uint8)
    return np.ascontiguousarray(texture if exemplar.ndim == 3 else texture[..., 0])


def quick_sampling(
    exemplar: Image, shape: NDArray[np.int64], *, seed: int, neighbours: int, best: float
) -> Image:
    """Quantile sampling by a G2S server, whose seconds are not those of this process."""
    import g2s  # type: ignore[import-not-found]

    channels = 1 if exemplar.ndim == 2 else exemplar.shape[2]
    rows, columns = shape.tolist()
    empty = np.full((rows, columns, *exemplar.shape[2:]), np.nan, np.float32)
    made = g2s.run(
        "-a", "qs", "-ti", exemplar.astype(np.float32), "-di", empty, "-dt", [0] * channels,
        "-k", best, "-n", neighbours, "-j", 1, "-s", seed, "-TO", 1000,
    )  # fmt: skip
    return np.asarray(np.rint(made[0]), np.uint8)


def _synth(name: str, suffix: str = "", threads: int = 1) -> Method:
    return Method(
        f"synth-{name}{suffix}",
        f"{_HERE}synth_texture",
        {"method": name},
        distributions=("numba",),
        threads=threads,
        compiles=True,
    )
