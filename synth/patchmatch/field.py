"""A nearest-neighbour field: for every patch of one image, where its like is in another."""

from __future__ import annotations

import os
import zipfile
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from synth.errors import FileError, InputError, InputTypeError
from synth.images import check_finite, check_image
from synth.unfinished import check_target, replacing

__all__ = ["NearestNeighborField"]

_NAMES = ("positions", "distance", "patch")


@dataclass(frozen=True, eq=False)
class NearestNeighborField:
    """What `synth.nnf` returns.

    Attributes
    ----------
    positions : (h, w, 2) int32, or (h, w, k, 2) for k > 1
        Row and column of the top-left corner of the source patch that each target patch is
        matched to; entry ``[y, x]`` belongs to the patch whose top-left corner is ``(y, x)``. The
        nearest comes first. −1 where no match was asked for.
    distance : (h, w) int32 or float32, or (h, w, k) for k > 1
        Sum of squared differences of the two patches over all pixels and channels; −1 where no
        match was asked for.
    patch : int
        Side of the patches in pixels.
    """

    positions: NDArray[np.int32]
    distance: NDArray[Any]
    patch: int

    def __repr__(self) -> str:
        """Say its size, not its numbers."""
        size = "×".join(map(str, self.distance.shape))
        return f"NearestNeighborField({size}, patch={self.patch}, {self.distance.dtype})"

    @property
    def offsets(self) -> NDArray[np.int32]:
        """Where the match lies from the patch itself, rows then columns, in pixels.

        Shaped like `positions`; 0 where no match was asked for.
        """
        own = np.moveaxis(np.indices(self.positions.shape[:2], np.int32), 0, -1)
        if self.positions.ndim == 4:
            own = own[:, :, None]
        return np.where(self.positions >= 0, self.positions - own, np.int32(0))

    def reconstruct(self, source: NDArray[Any]) -> NDArray[Any]:
        """Build the target out of the source: the mean of what the nearest matches say.

        Parameters
        ----------
        source : (rows, columns) or (rows, columns, channels) ndarray
            The source image, or anything else of its height and width, such as labels to carry
            over; types as in `synth.nnf`.

        Returns
        -------
        (h + patch − 1, w + patch − 1) or with channels, as source
            Of the source's dtype, integers rounded to the nearest (halves up). 0 where no patch
            with a match covers a pixel.

        Raises
        ------
        InputError
            ``source`` is smaller than the image that was matched, or has NaN or infinite values.
        """
        from synth.kernels._jit import threads
        from synth.kernels.cpu.reconstruct import vote

        pixels = check_image(source, name="source")
        check_finite(pixels, name="source")
        nearest = self.positions if self.positions.ndim == 3 else self.positions[:, :, 0]
        needed = nearest.reshape(-1, 2).max(axis=0) + self.patch
        if (needed > pixels.shape[:2]).any():
            raise InputError(
                f"source is {pixels.shape[0]}×{pixels.shape[1]}, but the field points to patches "
                f"that need at least {needed[0]}×{needed[1]}; pass the image that was matched"
            )
        channels = 1 if pixels.ndim == 2 else pixels.shape[2]
        h, w = (n + self.patch - 1 for n in nearest.shape[:2])
        whole = pixels.dtype.kind == "u"
        total = np.zeros((h, w, channels), np.int64 if whole else np.float64)
        votes = np.zeros((h, w), np.int32)
        bounds = np.linspace(0, h, min(h, 16) + 1).astype(np.int64)
        with threads() as bands:
            bands(
                vote, bounds.size - 1, pixels.reshape(*pixels.shape[:2], channels),
                np.ascontiguousarray(nearest), self.patch, total, votes, bounds,
            )  # fmt: skip
        count = np.maximum(votes, 1)[:, :, None]
        mean = (total + count // 2) // count if whole else total / count
        return mean.astype(pixels.dtype).reshape(h, w, *pixels.shape[2:])

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Write the field as NumPy's npz, without pickle.

        Parameters
        ----------
        path : path
            The name is taken as it is. The file takes it only when it is whole.
        overwrite : bool
            Replace a file that has something in it.

        Raises
        ------
        FileError
            The file exists and ``overwrite`` is not set, or cannot be written.
        """
        overwrite = _may_replace(path, overwrite)
        check_target(path, overwrite=overwrite)
        with (
            replacing(path, overwrite=overwrite) as temporary,
            open(temporary, "wb") as file,
        ):
            np.savez_compressed(
                file, positions=self.positions, distance=self.distance, patch=self.patch
            )

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read a field that `save` wrote.

        Raises
        ------
        FileError
            The file cannot be read, or is not such a field.
        """
        try:
            with np.load(path, allow_pickle=False) as file:
                positions, distance, patch = (file[name] for name in _NAMES)
        except FileNotFoundError as error:
            raise FileError(f"{path} does not exist") from error
        except OSError as error:
            raise FileError(f"{path} cannot be read: {error.strerror or error}") from error
        except (ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
            raise FileError(
                f"{path} is not a nearest-neighbour field as written by .save(); "
                f"it needs the arrays {', '.join(_NAMES)}"
            ) from error
        if positions.ndim not in (3, 4) or positions.shape != (*distance.shape, 2):
            raise FileError(
                f"{path} has positions of shape {positions.shape} and distances of shape "
                f"{distance.shape}, which do not belong together"
            )
        return cls(positions.astype(np.int32, copy=False), distance, int(patch))

    def plot(
        self, path: str | os.PathLike[str] | None = None, *, overwrite: bool = False
    ) -> NDArray[np.uint8]:
        """Draw the offsets of the nearest matches on a colour wheel.

        The hue is the direction (red = to the right, then clockwise), the saturation the length
        over the largest of the field; black where no match was asked for.

        Parameters
        ----------
        path : path, optional
            Write the picture there as well, in the format of its ending.
        overwrite : bool
            Replace a file that has something in it.

        Returns
        -------
        (h, w, 3) uint8

        Raises
        ------
        FileError
            The file exists and ``overwrite`` is not set, or cannot be written.
        """
        nearest = self.offsets if self.positions.ndim == 3 else self.offsets[:, :, 0]
        known = self.positions.reshape(*nearest.shape[:2], -1)[:, :, 0] >= 0
        down, across = nearest[..., 0].astype(np.float64), nearest[..., 1].astype(np.float64)
        length = np.hypot(down, across)
        saturation = length / max(float(length.max(initial=0)), 1.0)
        hue = np.arctan2(down, across) / (2 * np.pi) * 6
        # Smith 1978: each channel is a trapezoid over the hue
        phase = (hue[..., None] + np.array([5.0, 3.0, 1.0])) % 6
        trapezoid = np.clip(np.minimum(phase, 4 - phase), 0, 1)
        colours: NDArray[np.uint8] = np.round(
            255 * (1 - saturation[..., None] * trapezoid)
        ).astype(np.uint8)
        colours[~known] = 0
        if path is not None:
            from synth.files import save

            save(path, colours, overwrite=_may_replace(path, overwrite))
        return colours


def _may_replace(path: str | os.PathLike[str], overwrite: bool) -> bool:
    """Tell whether a file may be replaced; an empty one always may, there is nothing to lose."""
    if not isinstance(path, str | os.PathLike):
        raise InputTypeError(f"path is {path!r}, but the name of a file is needed")
    return overwrite or (os.path.isfile(path) and os.path.getsize(path) == 0)
