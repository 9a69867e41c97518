"""Bridge: the submodules of synth.kernels live in ``kernels/`` (installed: ``synth/kernels/``)."""

from pathlib import Path

_here = Path(__file__).parent
__path__ = [str(next(p for p in (_here / "kernels", _here.parent / "kernels") if p.is_dir()))]
