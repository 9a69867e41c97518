"""Pictures come back from files as they went in, and what cannot be read or written says why."""

from __future__ import annotations

import io
import os
import stat
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from synth.codecs import check_holds, decode, encode
from synth.errors import FileError
from synth.files import Picture, load, save
from synth.picture import upright
from synth.unfinished import check_target, discard_unfinished, replacing
from tests.conftest import noise

RGB_PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def camera_exif() -> Image.Exif:
    exif = Image.Exif()
    exif[0x010F] = "a camera"
    exif[0x0112] = 6
    exif[0x8769] = {0x829A: 0.02, 0xA002: 13}
    exif[0x8825] = {1: "N"}
    return exif


def read_exif(picture: Picture) -> Image.Exif:
    assert picture.exif is not None
    exif = Image.Exif()
    exif.load(picture.exif)
    return exif


LOSSLESS = [
    (suffix, dtype, channels)
    for suffix, dtypes in [
        (".png", ["uint8", "uint16"]),
        (".tif", ["uint8", "uint16", "float32", "float64"]),
    ]
    for dtype in dtypes
    for channels in (None, 2, 3, 4)
] + [
    (".tiff", "uint16", 7),
    (".tiff", "uint8", 6),
    (".bmp", "uint8", None),
    (".bmp", "uint8", 3),
    (".webp", "uint8", 3),
    (".webp", "uint8", 4),
]


@pytest.mark.parametrize(("suffix", "dtype", "channels"), LOSSLESS)
def test_not_a_bit_is_lost(tmp_path, suffix, dtype, channels):
    pixels = noise((13, 9) if channels is None else (13, 9, channels), dtype)
    path = tmp_path / f"picture{suffix}"
    save(path, pixels)
    back = load(path)
    assert back.pixels.dtype == pixels.dtype
    np.testing.assert_array_equal(back.pixels, pixels)
    assert os.listdir(tmp_path) == [path.name]
    save(path, back.pixels, like=back, overwrite=True)
    np.testing.assert_array_equal(load(path).pixels, pixels)


@pytest.mark.parametrize("channels", [None, 3, 4])
def test_other_readers_agree_on_deep_png(channels):
    cv2 = pytest.importorskip("cv2")
    pixels = noise((6, 5) if channels is None else (6, 5, channels), "uint16")
    read = cv2.imdecode(np.frombuffer(encode(pixels, "PNG"), np.uint8), cv2.IMREAD_UNCHANGED)
    if channels is not None:
        read = read[..., [2, 1, 0, 3][:channels]]
    np.testing.assert_array_equal(read, pixels)


@settings(max_examples=20, deadline=None)
@given(
    st.integers(1, 20),
    st.integers(1, 20),
    st.sampled_from([1, 2, 3, 4]),
    st.sampled_from(["uint8", "uint16"]),
    st.sampled_from(["PNG", "TIFF"]),
)
def test_any_size_survives(height, width, channels, dtype, format):
    pixels = noise((height, width, channels), dtype, height * width)
    back = decode(encode(pixels, format), "it").pixels
    np.testing.assert_array_equal(back, pixels[..., 0] if channels == 1 else pixels)


@pytest.mark.parametrize(
    ("suffix", "dtype"),
    [
        (".png", "uint8"),
        (".png", "uint16"),
        (".jpg", "uint8"),
        (".webp", "uint8"),
        (".tif", "uint8"),
        (".tif", "uint16"),
    ],
)
def test_profile_exif_and_resolution_survive(tmp_path, suffix, dtype):
    exif = camera_exif()
    like = Picture(noise((8, 13, 3), dtype), "PNG", RGB_PROFILE, exif.tobytes(), (300.0, 150.0))
    path = tmp_path / f"first{suffix}"
    save(path, like.pixels, like=like)
    again = tmp_path / f"second{suffix}"
    first = load(path)
    save(again, first.pixels, like=first)
    back = load(again)
    assert back.icc == RGB_PROFILE
    got = read_exif(back)
    assert got[0x010F] == "a camera"
    assert 0x0112 not in got
    assert float(got.get_ifd(0x8769)[0x829A]) == pytest.approx(0.02)
    assert got.get_ifd(0x8825)[1] == "N"
    if suffix != ".webp":
        assert back.dpi == pytest.approx((300, 150), abs=0.1)
    if suffix != ".tif":  # which was not written with the turn
        assert back.pixels.shape[:2] == (13, 8), "the turn was made once, then forgotten"
    assert got.get_ifd(0x8769)[0xA002] == back.pixels.shape[1]


@pytest.mark.parametrize("turn", range(1, 9))
def test_the_turn_is_pillows(turn):
    from PIL import ImageOps

    pixels = noise((4, 6, 3), "uint8")
    exif = Image.Exif()
    exif[0x0112] = turn
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG", exif=exif)
    expected = np.asarray(ImageOps.exif_transpose(Image.open(stream)))
    np.testing.assert_array_equal(decode(stream.getvalue(), "it").pixels, expected)
    np.testing.assert_array_equal(upright(pixels, turn), expected)


def test_the_turn_of_tiffs(tmp_path):
    import tifffile

    for dtype in ("uint8", "uint16"):
        pixels = noise((4, 6, 3), dtype)
        path = tmp_path / f"{dtype}.tif"
        tifffile.imwrite(path, pixels, photometric="rgb", extratags=[(274, "H", 1, 6, True)])
        picture = load(path)
        np.testing.assert_array_equal(picture.pixels, np.rot90(pixels, -1))
        save(path, picture.pixels, like=picture, overwrite=True)
        np.testing.assert_array_equal(load(path).pixels, np.rot90(pixels, -1))


def test_a_preview_of_the_old_picture_is_dropped(tmp_path):
    small = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(small, "JPEG")
    preview = small.getvalue()
    first = struct.pack("<HHHII", 1, 0x0112, 3, 1, 6) + struct.pack("<I", 26)
    second = struct.pack("<HHHII", 2, 0x0201, 4, 1, 56)
    second += struct.pack("<HHII", 0x0202, 4, 1, len(preview)) + struct.pack("<I", 0)
    exif = b"Exif\0\0II*\0" + struct.pack("<I", 8) + first + second + preview
    path = tmp_path / "a.jpg"
    Image.new("RGB", (20, 10)).save(path, exif=exif)
    assert preview in path.read_bytes()
    picture = load(path)
    save(path, picture.pixels, like=picture, overwrite=True)
    assert preview not in path.read_bytes()


def test_palettes_and_transparent_colours(tmp_path):
    rgba = noise((6, 6, 4), "uint8")
    rgba[..., 3] = np.where(rgba[..., 3] > 127, 255, 0)
    path = tmp_path / "a.png"
    Image.fromarray(rgba).quantize(200).save(path)
    assert load(path).pixels.shape == (6, 6, 4)
    Image.fromarray(rgba[..., :3]).quantize(200).save(path)
    assert load(path).pixels.shape == (6, 6, 3)
    Image.fromarray(rgba[..., :3]).save(path, transparency=tuple(rgba[2, 3, :3].tolist()))
    pixels = load(path).pixels
    assert pixels[2, 3, 3] == 0
    assert (pixels[..., 3] == 0).sum() == 1
    Image.fromarray(rgba[..., 0] > 99).save(path)
    np.testing.assert_array_equal(load(path).pixels, np.where(rgba[..., 0] > 99, 255, 0))


@pytest.mark.parametrize("channels", [1, 3])
def test_the_transparent_colour_of_deep_png(channels):
    pixels = noise((5, 4, channels), "uint16")
    data = encode(pixels, "PNG")
    key = pixels[1, 2].astype(">u2").tobytes()
    chunk = struct.pack(">I", len(key)) + b"tRNS" + key
    chunk += struct.pack(">I", zlib.crc32(b"tRNS" + key))
    back = decode(data[:33] + chunk + data[33:], "it").pixels
    np.testing.assert_array_equal(back[..., :-1], pixels)
    assert back[1, 2, -1] == 0
    assert (back[..., -1] == 65535).sum() == 19


def test_tiffs_of_other_programs(tmp_path):
    import cv2
    import tifffile

    deep = noise((9, 8, 3), "uint16")
    path = tmp_path / "lzw.tif"
    cv2.imwrite(str(path), deep[..., ::-1], [cv2.IMWRITE_TIFF_COMPRESSION, 5])
    np.testing.assert_array_equal(load(path).pixels, deep)
    path = tmp_path / "planes.tif"
    tifffile.imwrite(
        path, np.moveaxis(deep, -1, 0), photometric="rgb", planarconfig="separate", bigtiff=True
    )
    np.testing.assert_array_equal(load(path).pixels, deep)
    path = tmp_path / "white_is_0.tif"
    tifffile.imwrite(path, deep[..., 0], photometric="miniswhite", byteorder=">")
    np.testing.assert_array_equal(load(path).pixels, 65535 - deep[..., 0])
    assert load(path).pixels.dtype == np.uint16
    path = tmp_path / "jpeg.tif"
    Image.new("RGB", (16, 16), (200, 10, 10)).save(path, compression="jpeg")
    assert np.ptp(load(path).pixels.reshape(-1, 3), axis=0).max() <= 2
    path = tmp_path / "premultiplied.tif"
    tifffile.imwrite(
        path, noise((5, 5, 4), "uint16"), photometric="rgb", extrasamples=["assocalpha"]
    )
    picture = load(path)
    with pytest.raises(FileError, match=r"multiplied by alpha.*write TIFF"):
        save(tmp_path / "out.png", picture.pixels, like=picture)
    save(tmp_path / "out.tif", picture.pixels, like=picture)
    assert load(tmp_path / "out.tif").premultiplied


def test_jpeg_is_close_and_keeps_full_colour():
    y, x = np.mgrid[:64, :64]
    pixels = np.stack([x * 4, y * 4, np.where(x % 2, 255, 0)], axis=-1).astype(np.uint8)
    data = encode(pixels, "JPEG")
    back = decode(data, "it").pixels
    assert np.abs(back.astype(int) - pixels).mean() < 4
    assert Image.open(io.BytesIO(data)).layer[1][1:3] == (1, 1)


def test_what_cannot_be_loaded_says_why(bad_files):
    folder, messages = bad_files
    for name, message in messages.items():
        with pytest.raises(FileError, match=message) as caught:
            load(folder / name)
        assert name in str(caught.value)
        assert "\n" not in str(caught.value)


def test_bad_tiffs_are_one_line_without_the_logs_of_libraries(tmp_path):
    import tifffile

    deep = noise((40, 40, 3), "uint16")
    whole = tmp_path / "whole.tif"
    for name, options in (("plain", {}), ("zipped", {"compression": "zlib"})):
        tifffile.imwrite(whole, deep, photometric="rgb", **options)
        data = whole.read_bytes()
        (tmp_path / f"{name}.tif").write_bytes(data[: len(data) // 2])
    (tmp_path / "garbage.tif").write_bytes(b"II*\0 garbage")
    tifffile.imwrite(tmp_path / "signed.tif", deep.astype(">i2"), photometric="rgb")
    # a process of its own, because pytest sets up logging
    code = """
import sys
from synth.errors import FileError
from synth.files import load
for path in sys.argv[1:]:
    try:
        load(path)
    except FileError as error:
        print(error)
"""
    names = ["plain.tif", "zipped.tif", "garbage.tif", "signed.tif"]
    done = subprocess.run(
        [sys.executable, "-c", code, *names],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    plain, zipped, garbage, signed = done.stdout.splitlines()
    assert plain.startswith("plain.tif is damaged or cut short: failed to read")
    assert zipped.startswith("zipped.tif is damaged or cut short: ")
    assert "attribute" not in zipped
    assert garbage.startswith("garbage.tif is damaged or cut short: there is no picture")
    assert "int16; convert it to unsigned 8 or 16 bit" in signed


def test_a_very_long_image_is_an_image(tmp_path):
    pixels = noise((1, 100_000), "uint8")
    save(tmp_path / "long.png", pixels)
    np.testing.assert_array_equal(load(tmp_path / "long.png").pixels, pixels)
    with pytest.raises(FileError, match="sides over 65535 pixels; write PNG or TIFF or BMP"):
        save(tmp_path / "long.jpg", pixels)


@pytest.mark.parametrize(
    ("name", "shape", "dtype", "message"),
    [
        ("a.jpg", (4, 4, 3), "uint16", "16 bits a channel; write PNG or TIFF"),
        ("a.jpg", (4, 4, 4), "uint8", "transparency; write PNG or WebP or TIFF"),
        ("a.bmp", (4, 4, 2), "uint8", "transparency; write PNG or WebP or TIFF"),
        ("a.png", (4, 4, 3), "float32", "float32 values; write TIFF"),
        ("a.png", (4, 4, 9), "uint8", "9 channels; write TIFF"),
        ("a.gif", (4, 4, 3), "uint8", "no image format known here"),
        ("a", (4, 4, 3), "uint8", "no ending"),
        ("nowhere/a.png", (4, 4, 3), "uint8", "no folder"),
    ],
)
def test_what_cannot_be_saved_says_why(tmp_path, name, shape, dtype, message):
    with pytest.raises(FileError, match=message):
        save(tmp_path / name, noise(shape, dtype))
    assert not any(tmp_path.iterdir())


def test_unknown_format():
    with pytest.raises(FileError, match="use one of PNG"):
        check_holds("GIF", (3, 3), np.dtype("uint8"), "it")


def test_nothing_is_overwritten_unless_asked(tmp_path):
    path = tmp_path / "a.png"
    save(path, noise((4, 4), "uint8", 1))
    before = path.read_bytes()
    with pytest.raises(FileError, match=r"exists already.*overwrite"):
        save(path, noise((4, 4), "uint8", 2))
    assert path.read_bytes() == before
    path.chmod(0o640)
    save(path, noise((4, 4), "uint8", 2), overwrite=True)
    assert path.read_bytes() != before
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_file_that_appears_meanwhile_is_kept(tmp_path, monkeypatch):
    path = tmp_path / "a.png"

    def write_while_another_program_does() -> None:
        with replacing(path) as temporary:
            temporary.write_bytes(b"mine")
            path.write_bytes(b"theirs")

    for link in (os.link, None):
        if link is None:  # a file system without hard links
            monkeypatch.setattr(os, "link", lambda *_: (_ for _ in ()).throw(OSError("no links")))
        path.unlink(missing_ok=True)
        with pytest.raises(FileError, match="exists already"):
            write_while_another_program_does()
        assert path.read_bytes() == b"theirs"
    path.unlink()
    with replacing(path) as temporary:
        temporary.write_bytes(b"mine")
    assert path.read_bytes() == b"mine"
    assert os.listdir(tmp_path) == ["a.png"]


def test_an_interrupted_write_leaves_nothing(tmp_path):
    path = tmp_path / "a.png"

    def interrupted() -> None:
        with replacing(path) as temporary:
            temporary.write_bytes(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert not any(tmp_path.iterdir())
    with replacing(path) as temporary:
        discard_unfinished()
        assert not temporary.exists()
        temporary.write_bytes(b"for the block's end")


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX rights and links")
def test_rights_links_and_devices(tmp_path):
    old = os.umask(0o027)
    try:
        save(tmp_path / "a.png", noise((4, 4), "uint8"))
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "a.png").stat().st_mode) == 0o640
    link = tmp_path / "link.png"
    link.symlink_to("a.png")
    with pytest.raises(FileError, match="exists already"):
        check_target(link)
    save(link, noise((4, 4), "uint8", 3), overwrite=True)
    assert link.is_symlink()
    np.testing.assert_array_equal(load(tmp_path / "a.png").pixels, noise((4, 4), "uint8", 3))
    dangling = tmp_path / "dangling.png"
    dangling.symlink_to("nothing.png")
    with pytest.raises(FileError, match="exists already"):
        save(dangling, noise((4, 4), "uint8"))
    save("/dev/null", noise((4, 4), "uint8"), format="PNG")
    assert Path("/dev/null").is_char_device()


def test_streams():
    pixels = noise((5, 5, 3), "uint16")
    stream = io.BytesIO()
    save(stream, pixels)
    stream.seek(0)
    picture = load(stream, name="standard input")
    np.testing.assert_array_equal(picture.pixels, pixels)
    with pytest.raises(FileError, match="standard input is empty"):
        load(io.BytesIO(), name="standard input")


def test_a_profile_for_other_colours_is_left_out():
    like = Picture(noise((4, 4), "uint8"), "PNG", icc=RGB_PROFILE)
    assert decode(encode(like.pixels, "PNG", like), "it").icc is None
