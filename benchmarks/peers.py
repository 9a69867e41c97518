"""One adapter a method, synth's own among them; each imports its library when it is called.

Adapters of fills take ``image`` (H, W, 3) uint8 and ``mask`` (H, W) bool, True in the hole, and
give the filled image; those of fields take ``target`` and ``source`` and give ``positions``
(h−p+1, w−p+1, 2), row and column of the best source patch's top-left corner.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness import Method

__all__ = ["fill_methods", "nnf_methods", "structure_methods"]

Image = NDArray[np.uint8]
Mask = NDArray[np.bool_]

_CONTRIB = ("opencv-contrib-python-headless",)
_PYPATCHMATCH = ("pypatchmatch",)
# Its README: with OpenCV beside it, it is a little faster and better.
_CYTHON = ("patchmatch-cython", "opencv-python-headless")
_RESYNTHESIZER = ("resynthesizer", "numpy")
_GMIC = ("gmic", "numpy")
_FAISS = ("faiss-cpu", "numpy")


def fill_methods() -> list[Method]:
    """List everything that fills, synth first."""
    here = "benchmarks.peers:"
    synth = [
        Method(
            f"synth-{quality}",
            f"{here}synth_fill",
            {"quality": quality},
            distributions=("numba",),
            compiles=True,
        )
        for quality in ("draft", "normal", "best")
    ]
    return [
        *synth,
        Method(
            "pypatchmatch",
            f"{here}pypatchmatch",
            {"radius": 3},
            _PYPATCHMATCH,
            ("pypatchmatch",),
            note="patch radius 3, as in its examples",
        ),
        Method(
            "pypatchmatch-r15",
            f"{here}pypatchmatch",
            {"radius": 15},
            _PYPATCHMATCH,
            ("pypatchmatch",),
            note="its default patch radius, 15",
        ),
        Method(
            "patchmatch-cython",
            f"{here}patchmatch_cython",
            {},
            _CYTHON,
            ("patchmatch-cython", "opencv-python-headless"),
        ),
        Method(
            "patchmatch-cython-hq",
            f"{here}patchmatch_cython",
            {"em_loops": 2, "edge_weighted": True, "reverse_search": True, "hole_refine": 3},
            _CYTHON,
            ("patchmatch-cython", "opencv-python-headless"),
            note="the quality options of its README, without the feather",
        ),
        Method(
            "resynthesizer",
            f"{here}resynthesizer",
            {},
            _RESYNTHESIZER,
            ("resynthesizer",),
            note="its default parameters; takes no seed",
        ),
        Method(
            "gmic-matchpatch",
            f"{here}gmic",
            {},
            _GMIC,
            ("gmic",),
            note="G'MIC's inpaint_matchpatch with its default parameters",
        ),
        Method(
            "xphoto-shiftmap",
            f"{here}xphoto",
            {"algorithm": "SHIFTMAP"},
            _CONTRIB,
            _CONTRIB,
            note="in CIELab, as its documentation asks",
        ),
        Method("xphoto-fsr-fast", f"{here}xphoto", {"algorithm": "FSR_FAST"}, _CONTRIB, _CONTRIB),
        Method(
            "opencv-telea",
            f"{here}opencv",
            {"flag": "INPAINT_TELEA"},
            distributions=("opencv-python",),
            note="radius 3",
        ),
        Method(
            "opencv-ns",
            f"{here}opencv",
            {"flag": "INPAINT_NS"},
            distributions=("opencv-python",),
            note="radius 3",
        ),
        Method(
            "skimage-biharmonic",
            f"{here}biharmonic",
            distributions=("scikit-image", "scipy"),
        ),
    ]


def structure_methods() -> list[Method]:
    """List one setting of each peer worth a look, and synth without planes."""
    kept = (
        "synth-normal", "synth-best", "pypatchmatch", "patchmatch-cython", "resynthesizer",
        "gmic-matchpatch", "xphoto-shiftmap", "xphoto-fsr-fast", "opencv-ns",
    )  # fmt: skip
    methods = [method for method in fill_methods() if method.name in kept]
    normal = methods[0]
    plain = replace(
        normal, name="synth-no-plane", options={**normal.options, "planes": None},
        note='synth-normal with `planes=None`',
    )  # fmt: skip
    return [*methods[:2], plain, *methods[2:]]


def nnf_methods() -> list[Method]:
    """List everything that makes a nearest-neighbour field between two images.

    PyPatchMatch and patchmatch-cython keep theirs inside a fill: neither lets two images be given.
    """
    here = "benchmarks.peers:"
    synth = [
        Method(
            f"synth-{quality}-{threads}t",
            f"{here}synth_nnf",
            {"quality": quality},
            distributions=("numba",),
            threads=threads,
            compiles=True,
        )
        for quality in ("draft", "fast", "accurate")
        for threads in (1, 2)
    ]
    faiss = [
        Method(
            f"faiss-ivf-{threads}t",
            f"{here}faiss_ivf",
            requirements=_FAISS,
            distributions=("faiss-cpu",),
            threads=threads,
            note="PCA to 12, IVF of 1024 lists, 8 of them searched, 4 best reranked exactly",
        )
        for threads in (1, 2)
    ]
    return [*synth, *faiss]


def synth_fill(
    image: Image, mask: Mask, *, seed: int, quality: str, planes: str | None = "auto"
) -> Image:
    """`synth.fill`."""
    import synth

    filled = synth.fill(image, mask, quality=quality, planes=planes, seed=seed)  # type: ignore[arg-type]
    return np.asarray(filled)


def synth_nnf(target: Image, source: Image, *, seed: int, quality: str) -> NDArray[np.int32]:
    """`synth.nnf`, patches of 7×7."""
    import synth

    field = synth.nnf(target, source, patch=7, quality=quality, seed=seed)  # type: ignore[arg-type]
    return np.asarray(field.positions)


def pypatchmatch(image: Image, mask: Mask, *, seed: int, radius: int) -> Image:
    """`patchmatch.inpaint` of PyPatchMatch; its ``patch_size`` is a radius."""
    import patchmatch  # type: ignore[import-not-found]

    if not patchmatch.patchmatch_available:
        raise RuntimeError("its native library does not load")
    patchmatch.set_random_seed(seed)
    return np.asarray(patchmatch.inpaint(image, mask, patch_size=radius))


def patchmatch_cython(image: Image, mask: Mask, *, seed: int, **options: Any) -> Image:
    """`patchmatch_cython.inpaint_pyramid` with the compiled solver."""
    from patchmatch_cython import (  # type: ignore[import-not-found]
        CythonSolver,
        inpaint_pyramid,
    )

    filled = inpaint_pyramid(image, mask, solver_class=CythonSolver, seed=seed, **options)
    return _to_bytes(filled)


def resynthesizer(image: Image, mask: Mask, *, seed: int) -> Image:
    """`resynthesizer.resynthesize`; the engine seeds itself."""
    from PIL import Image as Pillow
    from resynthesizer import resynthesize  # type: ignore[import-not-found]

    white = Pillow.fromarray(mask.astype(np.uint8) * 255)
    return np.asarray(resynthesize(Pillow.fromarray(image), white))


def gmic(image: Image, mask: Mask, *, seed: int) -> Image:
    """`inpaint_matchpatch` of G'MIC, whose pictures are columns × rows × depth × channels."""
    import gmic as library  # type: ignore[import-not-found]

    white = mask.astype(np.uint8)[..., np.newaxis] * 255
    pictures = [library.Image.from_yxc(one) for one in (image, white)]
    done = library.run(f"v - srand {seed} inpaint_matchpatch[0] [1] keep[0]", pictures)
    return _to_bytes(done[0].to_numpy()[:, :, 0].transpose(1, 0, 2))


def xphoto(image: Image, mask: Mask, *, seed: int, algorithm: str) -> Image:
    """`cv2.xphoto.inpaint`, whose mask is white where the image is known."""
    import cv2

    contrib: Any = cv2  # the stubs of plain OpenCV know no xphoto
    known = (~mask).astype(np.uint8) * 255
    flag = getattr(contrib.xphoto, f"INPAINT_{algorithm}")
    if algorithm != "SHIFTMAP":
        bgr = np.ascontiguousarray(image[..., ::-1])
        filled = np.zeros_like(bgr)
        contrib.xphoto.inpaint(bgr, known, filled, flag)
        return np.ascontiguousarray(filled[..., ::-1])
    lab = cv2.cvtColor(image, cv2.COLOR_RGB2Lab)
    filled = np.zeros_like(lab)
    contrib.xphoto.inpaint(lab, known, filled, flag)
    # There and back costs rounding, which must not count where the image was known.
    colours = cv2.cvtColor(filled, cv2.COLOR_Lab2RGB)
    return np.where(mask[..., np.newaxis], colours, image)


def opencv(image: Image, mask: Mask, *, seed: int, flag: str) -> Image:
    """`cv2.inpaint`."""
    import cv2

    return np.asarray(cv2.inpaint(image, mask.astype(np.uint8), 3, getattr(cv2, flag)))


def biharmonic(image: Image, mask: Mask, *, seed: int) -> Image:
    """`skimage.restoration.inpaint_biharmonic`, each hole solved by itself."""
    from skimage.restoration import inpaint_biharmonic

    smooth = inpaint_biharmonic(image, mask, split_into_regions=True, channel_axis=-1)  # type: ignore[no-untyped-call]
    return _to_bytes(smooth * 255)


def faiss_ivf(target: Image, source: Image, *, seed: int, patch: int = 7) -> NDArray[np.int32]:
    """Approximate neighbours by FAISS: PCA, inverted lists, the best few compared exactly."""
    import faiss  # type: ignore[import-not-found]

    queries, base = (_patches(image, patch) for image in (target, source))
    pca = faiss.PCAMatrix(base.shape[1], 12)
    pca.train(base[:: max(1, len(base) // 20_000)])
    low_queries, low_base = pca.apply(queries), pca.apply(base)
    lists = max(1, min(1024, len(base) // 64))
    index = faiss.IndexIVFFlat(faiss.IndexFlatL2(12), 12, lists)
    index.cp.seed = seed
    index.train(low_base[:: max(1, len(base) // 50_000)])
    index.add(low_base)
    index.nprobe = min(8, lists)
    _, found = index.search(low_queries, 4)
    best = np.zeros(len(queries), np.int64)
    for start in range(0, len(queries), 1 << 14):
        block = slice(start, start + (1 << 14))
        candidates = np.maximum(found[block], 0)  # −1 where a list held fewer than four
        apart = base[candidates] - queries[block][:, np.newaxis]
        nearest = np.einsum("nkd,nkd->nk", apart, apart).argmin(axis=1)
        best[block] = np.take_along_axis(candidates, nearest[:, np.newaxis], axis=1)[:, 0]
    across = source.shape[1] - patch + 1
    positions = np.stack((best // across, best % across), axis=-1).astype(np.int32)
    return positions.reshape(target.shape[0] - patch + 1, target.shape[1] - patch + 1, 2)


def _to_bytes(image: NDArray[Any]) -> Image:
    return np.asarray(np.clip(np.rint(image), 0, 255), np.uint8)


def _patches(image: Image, patch: int) -> NDArray[np.float32]:
    windows = np.lib.stride_tricks.sliding_window_view(image, (patch, patch), axis=(0, 1))
    flat = windows.reshape(-1, patch * patch * image.shape[2])
    return np.ascontiguousarray(flat, dtype=np.float32)
