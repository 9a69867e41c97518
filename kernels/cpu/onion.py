"""The onion-peel start: search with patches of which only a part is known yet.

Race-free because it is sequential: a query looks at what the queries before it found, and what is
urgent is asked between two of these searches.
"""

from __future__ import annotations

import numpy as np
from numba.extending import register_jitable

from .._jit import jit
from .distance import data_of, known_distance, patch_distance
from .philox import below, philox4x32

__all__ = ["peel_search", "urgency"]


@register_jitable(forceinline=True, error_model="numpy")
def _improve_known(
    target, target_at, target_step, known, source, source_step, channels, patch, penalty, row,
    column, best_row, best_column, best, trust,
):  # fmt: skip
    extra = penalty[row, column]
    if extra >= best:
        return best_row, best_column, best
    at = row * source_step + column * channels
    sure = known_distance(
        target, target_at, target_step, source, at, source_step, known, patch * channels, patch
    )
    total = extra + sure
    if trust > 0 and total < best:
        whole = patch_distance(
            target, target_at, target_step, source, at, source_step, patch * channels, patch,
            np.int32(0x7FFFFFFF),
        )  # fmt: skip
        total += np.int32((whole - sure) * trust)
    if total < best:
        return row, column, total
    return best_row, best_column, best


@jit
def peel_search(
    target, target_width, known, source, source_width, channels, patch, field, cost, scale,
    queries, penalty, choices, source_columns, samples, key0, key1, iteration, purpose, limit,
    trust,
):  # fmt: skip
    """Find a source for each query (n, 2) of one layer, comparing known elements first.

    Candidates are what the eight neighbours found, shifted; then every allowed source where
    ``samples`` is 0, else that many random ones and a shrinking search around the best.
    Elements that are not known count ``trust`` times as much as those that are; 0 ignores them.
    ``cost`` is divided by the known share of the patch (``scale``), so that costs compare.
    """
    rows, columns = cost.shape
    target_data, source_data, known_data = data_of(target), data_of(source), data_of(known)
    source_rows = penalty.shape[0]
    target_step = target_width * channels
    source_step = source_width * channels
    for number in range(queries.shape[0]):
        y = np.int64(queries[number, 0])
        x = np.int64(queries[number, 1])
        target_at = y * target_step + x * channels
        best_row, best_column, best = np.int64(-1), np.int64(-1), limit
        for dy in range(-1, 2):
            for dx in range(-1, 2):
                ny, nx = y + dy, x + dx
                if not (0 <= ny < rows and 0 <= nx < columns) or field[ny, nx, 0] < 0:
                    continue
                row = np.int64(field[ny, nx, 0]) - dy
                column = np.int64(field[ny, nx, 1]) - dx
                if 0 <= row < source_rows and 0 <= column < source_columns:
                    best_row, best_column, best = _improve_known(
                        target_data, target_at, target_step, known_data, source_data, source_step,
                        channels, patch, penalty, row, column, best_row, best_column, best, trust,
                    )  # fmt: skip
        for draw in range(samples if samples > 0 else choices.size):
            index = np.int64(draw)
            if samples > 0:
                word, _, _, _ = philox4x32(y * columns + x, iteration, draw, purpose, key0, key1)
                index = below(word, choices.size)
            row = np.int64(choices[index]) // source_columns
            column = np.int64(choices[index]) - row * source_columns
            best_row, best_column, best = _improve_known(
                target_data, target_at, target_step, known_data, source_data, source_step,
                channels, patch, penalty, row, column, best_row, best_column, best, trust,
            )  # fmt: skip
        if samples > 0:
            radius = np.int64(32)
            draw = samples
            while radius >= 1:
                word0, word1, _, _ = philox4x32(
                    y * columns + x, iteration, draw, purpose, key0, key1
                )
                low_row = max(best_row - radius, 0)
                low_column = max(best_column - radius, 0)
                row = low_row + below(word0, min(best_row + radius + 1, source_rows) - low_row)
                column = low_column + below(
                    word1, min(best_column + radius + 1, source_columns) - low_column
                )
                best_row, best_column, best = _improve_known(
                    target_data, target_at, target_step, known_data, source_data, source_step,
                    channels, patch, penalty, row, column, best_row, best_column, best, trust,
                )  # fmt: skip
                radius >>= 1
                draw += 1
        field[y, x, 0] = best_row
        field[y, x, 1] = best_column
        cost[y, x] = np.int32(min(best * scale[y, x], np.float64(limit)))


@jit
def urgency(luminance, unknown, confidence, pixels, patch, urgent, sure):
    """Tell how urgent each border pixel of the hole is: how strong an edge runs into it there.

    Criminisi, Pérez & Toyama 2004 ("Region filling and object removal by exemplar-based image
    inpainting"), equation 1: confidence × data, over the patch around each pixel.

    Parameters
    ----------
    luminance, unknown, confidence : (rows, columns) float32, bool, float32
        Confidence is 1 where the picture is known, and what ``sure`` said when it was filled.
    pixels : (n, 2) int32
        The hole's pixels, filled ones as well.
    urgent : (n,) float32
        Is set to confidence × how steep the patch's steepest known place is × how straight that
        edge runs into the hole; 0 for no edge, −1 off the border.
    sure : (n,) float32
        Is set to the mean confidence over the patch, for pixels on the border.
    """
    rows, columns = unknown.shape
    half = patch // 2
    for number in range(pixels.shape[0]):
        urgent[number] = np.float32(-1)
        y, x = np.int64(pixels[number, 0]), np.int64(pixels[number, 1])
        if not unknown[y, x]:
            continue
        # Sobel's gradient of what is known stands upright on the border
        down = across = np.float32(0)
        border = False
        for dy in range(-1, 2):
            for dx in range(-1, 2):
                row = min(max(y + dy, 0), rows - 1)
                column = min(max(x + dx, 0), columns - 1)
                if not unknown[row, column]:
                    border = True
                    down += np.float32(dy * (2 - dx * dx))
                    across += np.float32(dx * (2 - dy * dy))
        if not border:
            continue
        top, bottom = max(y - half, 0), min(y + half + 1, rows)
        left, right = max(x - half, 0), min(x + half + 1, columns)
        total = steepest = slope_down = slope_across = np.float32(0)
        for row in range(top, bottom):
            for column in range(left, right):
                total += confidence[row, column]
                if row == 0 or row == rows - 1 or column == 0 or column == columns - 1:
                    continue
                if (
                    unknown[row, column] or unknown[row - 1, column] or unknown[row + 1, column]
                    or unknown[row, column - 1] or unknown[row, column + 1]
                ):  # fmt: skip
                    continue
                dy = luminance[row + 1, column] - luminance[row - 1, column]
                dx = luminance[row, column + 1] - luminance[row, column - 1]
                if dy * dy + dx * dx > steepest:
                    steepest, slope_down, slope_across = dy * dy + dx * dx, dy, dx
        sure[number] = total / np.float32((bottom - top) * (right - left))
        length = np.sqrt(down * down + across * across)
        urgent[number] = np.float32(0)
        if length > 0:
            # an edge runs at right angles to its gradient
            into = np.abs(slope_down * across - slope_across * down) / length
            urgent[number] = sure[number] * into
