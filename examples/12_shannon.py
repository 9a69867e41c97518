"""Shannon's n-grams (1948) on the engine that grows textures: text drawn by 1, 3 and 6 letters."""

import collections
from pydoc_data.topics import topics
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

import synth

TEXT = " ".join(" ".join(topics.values()).encode("ascii", "ignore").decode().split())[:200_000]


class Letters:
    """Which letter follows the last few, counted."""

    def __init__(self, context: int) -> None:
        self.context, self.counts = context, collections.defaultdict[str, Any](collections.Counter)
        for end in range(context, len(TEXT)):
            self.counts[TEXT[end - context : end]][TEXT[end]] += 1

    def next_log_probs(self, values: Any, known: Any, at: Any) -> Any:
        """Return log p of 128 letters at places of a line that begins with known ones."""
        counts = np.zeros((len(at), 128))
        for row, (_, x) in zip(counts, at, strict=True):
            found = self.counts[bytes(values[0, x - self.context : x].tolist()).decode()]
            row[[*map(ord, found)]] = [*found.values()]
        return np.log(counts / counts.sum(axis=1, keepdims=True) + 1e-300)


picture = Image.new("L", (640, 150), 255)
for number, n in enumerate((1, 3, 6)):
    start, known = np.frombuffer(TEXT[:300].encode(), np.uint8)[None], np.arange(300)[None] < n
    graph = synth.DependencyGraph.of("raster", (1, 300), (1, 2 * n + 1), known=known)
    line = bytes(synth.sample_symbols(graph, Letters(n), init=start)[0].tolist()).decode()
    text = "\n".join([line[:100], line[100:200], line[200:]])
    ImageDraw.Draw(picture).text((8, 5 + 48 * number), text, fill=0)
picture.save("12_shannon.png")
print("12_shannon.png")
