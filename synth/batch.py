"""Fill files: which picture goes with which mask and where it is written, and one such job."""

from __future__ import annotations

import math
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from synth.errors import FileError, InputError
from synth.progress import Callback
from synth.unfinished import check_target

if TYPE_CHECKING:
    import numpy as np

    from synth.patchmatch.details import FillChoice
    from synth.picture import Picture

__all__ = ["STREAM", "Job", "Plan", "Settings", "fill_file", "plan"]

#: stands for standard input or output
STREAM = "-"

#: endings of the files that are looked at in a folder, as in synth.codecs.FORMATS
IMAGE_SUFFIXES = frozenset(
    (".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".tif", ".tiff", ".bmp", ".dib")
)


@dataclass(frozen=True)
class Job:
    """One picture to fill; each of the three may be `STREAM`.

    ``mask`` and ``source`` are folders to look into where the whole run has a folder of them.
    """

    picture: str
    output: str
    mask: str | None = None
    source: str | None = None
    relative: str = ""


@dataclass(frozen=True)
class Plan:
    """The jobs of a run, and the files in its folder that are no images."""

    jobs: tuple[Job, ...]
    skipped: tuple[str, ...] = ()
    is_folder: bool = False


@dataclass(frozen=True)
class Settings:
    """What all jobs of a run share."""

    quality: str = "normal"
    seed: int = 0
    planes: str = "auto"
    samples: int | None = None
    resize_mask: bool = False
    overwrite: bool = False
    method: str = "patchmatch"
    adapt: str = "none"
    rotate: tuple[float, float] | None = None
    scale: tuple[float, float] | None = None
    mirror: bool = False


def plan(picture: str, output: str, mask: str | None, source: str | None) -> Plan:
    """Pair pictures with masks and outputs.

    A folder of pictures, with the folders in it, becomes a folder of outputs with the same
    relative names. Hidden files are passed over, and so are the outputs and masks where their
    folders lie in the folder of pictures.

    Raises
    ------
    InputError
        A folder where a file is needed, or none of the files is an image.
    """
    if picture == STREAM or not Path(picture).is_dir():
        for what, path in (("mask", mask), ("source", source)):
            if path is not None and path != STREAM and Path(path).is_dir():
                raise InputError(
                    f"the {what} {path} is a folder, but {picture} is one picture; "
                    "give one file, or a folder of pictures"
                )
        if output != STREAM and Path(output).is_dir():
            if picture == STREAM:
                raise InputError(f"{output} is a folder; give the name of a file in it")
            output = os.path.join(output, Path(picture).name)
        return Plan((Job(picture, output, mask, source),))

    if STREAM in (output, mask, source):
        raise InputError(f"{picture} is a folder, which cannot go together with '-'")
    if Path(output).exists() and not Path(output).is_dir():
        raise InputError(f"{picture} is a folder, so the output must be one too; {output} is not")
    root = Path(picture)
    for what, folder in (("masks", mask), ("sources", source)):
        if folder is not None and os.path.realpath(folder) == os.path.realpath(root):
            raise InputError(
                f"the {what} lie among the pictures in {picture}; put them in a folder of their "
                "own, each with the name of its picture"
            )
    aside = {Path(path).resolve() for path in (output, mask, source) if path is not None}
    aside.discard(root.resolve())  # filled in place
    jobs, skipped = [], []
    for file in sorted(root.rglob("*")):
        relative = file.relative_to(root)
        if any(part.startswith(".") for part in relative.parts) or file.is_dir():
            continue
        resolved = file.resolve()
        if any(folder == resolved or folder in resolved.parents for folder in aside):
            continue
        if file.suffix.lower() not in IMAGE_SUFFIXES:
            skipped.append(str(relative))
            continue
        jobs.append(Job(str(file), str(Path(output) / relative), mask, source, str(relative)))
    if not jobs:
        raise InputError(
            f"there is no image in the folder {picture}: looked for files ending in "
            f"{', '.join(sorted(IMAGE_SUFFIXES))}"
        )
    return Plan(tuple(jobs), tuple(skipped), is_folder=True)


def fill_file(job: Job, settings: Settings, callback: Callback | None = None) -> dict[str, Any]:
    """Load, fill and write one picture.

    Returns
    -------
    dict
        What was done, ready for JSON: paths, size, pixels filled, quality, seed, seconds by
        stage, energy by level.

    Raises
    ------
    FileError, InputError
        Nothing has been written then.
    """
    from synth.codecs import check_holds, format_of
    from synth.files import save
    from synth.patchmatch.fill import fill_details

    start = time.perf_counter()
    if job.output != STREAM:
        format = format_of(job.output)
        _check_output(job, settings)
    picture = _load(job.picture)
    if job.output == STREAM:
        format = picture.format
    pixels = picture.pixels
    check_holds(format, pixels.shape, pixels.dtype, _name(job.output, "standard output"))
    mask_path = _paired(job.mask, job, "mask")
    source_path = _paired(job.source, job, "source")
    hole, colours = _hole(mask_path, picture, job, settings)
    source = None
    if source_path is not None:
        source = _load_mask(source_path, "source", pixels.shape, job, settings)
    if colours is pixels and pixels.ndim == 3 and pixels.shape[2] == 2:
        # grey and alpha: arrays of two channels may be anything, files are not
        seen = pixels[..., 1] > 0
        source = seen if source is None else source & seen
    loaded = time.perf_counter()
    details = fill_details(
        colours,
        hole,
        method=settings.method,  # type: ignore[arg-type]  # click has checked it
        quality=settings.quality,  # type: ignore[arg-type]
        source=source,
        planes="auto" if settings.planes == "auto" else None,
        adapt=settings.adapt,  # type: ignore[arg-type]
        rotate=settings.rotate,
        scale=settings.scale,
        mirror=settings.mirror,
        samples=settings.samples,
        seed=settings.seed,
        callback=callback,
    )
    answers = [details.image] if details.samples is None else list(details.samples)
    if colours is not pixels:
        answers = [_opaque(pixels, answer, hole) for answer in answers]
    computed = time.perf_counter()
    outputs = outputs_of(job.output, settings.samples)
    if job.output == STREAM:
        save(sys.stdout.buffer, answers[0], like=picture, format=format)
    else:
        Path(job.output).parent.mkdir(parents=True, exist_ok=True)
        if details.samples is not None:
            answers.append(_sheet(answers))
        for path, answer in zip(outputs, answers, strict=True):
            save(path, answer, like=picture, overwrite=settings.overwrite)
    several: dict[str, Any] = {}
    if details.spread is not None:
        inside = details.spread[hole]
        several = {
            "outputs": outputs[:-1],
            "sheet": outputs[-1],
            "spread": float(inside.mean()) if inside.size else 0.0,
        }
    if details.chosen is not None:
        several["chosen"] = _told(details.chosen)
    return {
        "input": job.picture,
        "mask": mask_path,
        "source": source_path,
        "output": job.output,
        "width": pixels.shape[1],
        "height": pixels.shape[0],
        "hole_pixels": int(hole.sum()),
        "method": settings.method,
        "quality": settings.quality,
        "seed": settings.seed,
        "seconds": {
            "load": loaded - start,
            **{stage: float(seconds) for stage, seconds in details.seconds.items()},
            "save": time.perf_counter() - computed,
        },
        "energy": [[int(level), float(energy)] for level, energy in details.energy],
        **several,
    }


def _told(choice: FillChoice) -> dict[str, Any]:
    """Turn a choice into what JSON can say."""
    tried = [
        {"patch": one.patch, "depth": one.depth, "plane": one.plane, "losses": list(one.losses)}
        for one in choice.candidates
    ]
    return {**tried[choice.number], "reason": choice.reason, "candidates": tried}


def outputs_of(output: str, samples: int | None) -> list[str]:
    """List the files of one picture: for several answers ``out-1.png`` … and ``out-sheet.png``."""
    if samples is None:
        return [output]
    stem, ending = os.path.splitext(output)
    return [f"{stem}-{part}{ending}" for part in (*range(1, samples + 1), "sheet")]


def _sheet(answers: list[np.ndarray[Any, Any]]) -> np.ndarray[Any, Any]:
    """Lay the answers out in a grid, as square as can be, black where there is none."""
    import numpy as np

    across = math.ceil(math.sqrt(len(answers)))
    blank = [np.zeros_like(answers[0])] * (-len(answers) % across)
    tiles = answers + blank
    rows = [np.hstack(tiles[at : at + across]) for at in range(0, len(tiles), across)]
    return np.vstack(rows)


def _name(path: str, stream: str) -> str:
    return stream if path == STREAM else path


def _load(path: str) -> Picture:
    from synth.files import load

    return load(sys.stdin.buffer, name="standard input") if path == STREAM else load(path)


def _check_output(job: Job, settings: Settings) -> None:
    # in a folder run the folders of the outputs are made when there is something to write
    if not job.relative or Path(job.output).parent.is_dir():
        for path in outputs_of(job.output, settings.samples):
            check_target(path, overwrite=settings.overwrite)


def _paired(path: str | None, job: Job, what: str) -> str | None:
    """Return the file that belongs to the job: itself, or in a folder the one of the same stem."""
    if path is None or path == STREAM or not Path(path).is_dir():
        return path
    relative = Path(job.relative)
    for folder in dict.fromkeys((Path(path) / relative.parent, Path(path))):
        if not folder.is_dir():
            continue
        found = [
            file
            for file in sorted(folder.iterdir())
            if file.stem == relative.stem and file.suffix.lower() in IMAGE_SUFFIXES
        ]
        if len(found) > 1:
            names = " and ".join(file.name for file in found)
            raise FileError(f"{job.picture} has several {what}s in {folder}: {names}; keep one")
        if found:
            return str(found[0])
    raise FileError(
        f"{job.picture} has no {what} in {path}: none of its images is called {relative.stem}"
    )


def _hole(
    mask_path: str | None, picture: Picture, job: Job, settings: Settings
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Return the hole, and the pixels to fill it in: without alpha where alpha said the hole."""
    from synth.images import hole_from_alpha

    pixels = picture.pixels
    if mask_path is not None:
        return _load_mask(mask_path, "mask", pixels.shape, job, settings), pixels
    if pixels.ndim != 3 or pixels.shape[2] not in (2, 4):
        raise InputError(
            f"{_name(job.picture, 'standard input')} has no transparent pixels to say what the "
            "hole is; give a mask, white where it is to be filled (-m MASK)"
        )
    hole = hole_from_alpha(pixels)
    colours = pixels[..., 0] if pixels.shape[2] == 2 else pixels[..., :3]
    return hole, colours


def _load_mask(
    path: str, what: str, shape: tuple[int, ...], job: Job, settings: Settings
) -> np.ndarray[Any, Any]:
    import numpy as np

    from synth.images import check_mask

    name = _name(path, f"the {what} on standard input")
    pixels = _load(path).pixels
    mask = check_mask(pixels, pixels.shape, name=name)
    height, width = shape[:2]
    if mask.shape == (height, width):
        return mask
    if not settings.resize_mask:
        raise InputError(
            f"{name} is {mask.shape[0]}×{mask.shape[1]} but "
            f"{_name(job.picture, 'standard input')} is {height}×{width} (height×width); "
            "make it from this very picture, or pass --resize-mask"
        )
    # the nearest pixel of the mask to the middle of each pixel of the picture
    rows = (np.arange(height) * 2 + 1) * mask.shape[0] // (2 * height)
    columns = (np.arange(width) * 2 + 1) * mask.shape[1] // (2 * width)
    return np.ascontiguousarray(mask[np.ix_(rows, columns)])


def _opaque(
    pixels: np.ndarray[Any, Any], colours: np.ndarray[Any, Any], hole: np.ndarray[Any, Any]
) -> np.ndarray[Any, Any]:
    """Put filled colours under the picture's alpha, which is opaque where the hole was."""
    import numpy as np

    filled = pixels.copy()
    filled[..., :-1] = colours.reshape(*colours.shape[:2], -1)
    top = 1 if pixels.dtype.kind == "f" else np.iinfo(pixels.dtype).max
    filled[..., -1][hole] = top
    return filled
