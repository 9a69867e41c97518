"""Two planes that meet: found with where they meet, and refused where they are not."""

from __future__ import annotations

import json

import naive_planes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage import data
from test_cli_planes import call
from test_fill_planes import oval
from test_planes import SIDE, seen, tiles

import synth
from synth.compare import ssim
from synth.files import save
from synth.patchmatch.membrane import membrane
from synth.planes.edges import Edges, find_edges, frame
from synth.planes.homography import jacobian
from synth.planes.meeting import across, meeting, side_of
from synth.planes.vanishing import misses, vanishing_points


def room(kind: str = "walls", at: float = 0.5, turn: float = 0.0):
    """Two tiled planes that meet in a line at ``at`` of the side, turned by ``turn`` degrees.

    Returns the picture, where the first plane is, and both homographies to the tiles.
    """
    angle = np.deg2rad(turn)
    rotate = np.array(
        [[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1.0]]
    )
    x, y = (at, 0.5) if kind == "walls" else (0.5, at)
    to_line = rotate @ np.array([[1, 0, -x * SIDE], [0, 1, -y * SIDE], [0, 0, 1.0]])
    if kind == "walls":  # both recede from their common edge
        leans = [(0.6 / SIDE, 0), (-0.8 / SIDE, 0)]
    else:  # a wall seen frontally, and the floor before it
        leans = [(0, 0), (0, 1.0 / SIDE)]
    onto = np.array([[1, 0, 2 * SIDE], [0, 1, 2 * SIDE], [0, 0, 1.0]])
    maps = [onto @ np.array([[1, 0, 0], [0, 1, 0], [*lean, 1.0]]) @ to_line for lean in leans]
    picture = [
        seen(homography, tiles(5 * SIDE, (30, 40), ground=light))
        for homography, light in zip(maps, (200, 130), strict=True)
    ]
    row, column = np.mgrid[:SIDE, :SIDE]
    line = to_line[0 if kind == "walls" else 1]
    first = line[0] * column + line[1] * row + line[2] < 0
    return np.where(first, *picture).astype(np.uint8), first, maps


ROOMS = [("walls", 0.5, 0), ("walls", 0.4, 8), ("floor", 0.5, 0), ("floor", 0.6, -7)]


@pytest.mark.parametrize(("kind", "at", "turn"), ROOMS)
def test_both_planes_are_found_within_a_degree_and_where_they_meet(kind, at, turn):
    picture, first, maps = room(kind, at, turn)
    planes = synth.find_planes(picture, oval(picture.shape, 0.4)).planes
    assert len(planes) == 2
    own = sorted(planes, key=lambda plane: -(plane.region & first).mean())
    assert (own[0].region == ~own[1].region).all()
    assert (own[0].region != first).mean() < 0.01
    for plane, truth, region in zip(own, maps, (first, ~first), strict=True):
        assert plane.clear
        assert plane.region.shape == plane.support.shape == picture.shape
        both = plane.homography @ np.linalg.inv(truth)
        y, x = np.argwhere(region).mean(axis=0)
        middle = truth @ [x, y, 1]
        step = jacobian(both, middle[:2] / middle[2])
        for axis in (0, 1):
            assert np.degrees(np.arctan2(*np.sort(np.abs(step[:, axis])))) < 1.0
    supports = np.stack([plane.support for plane in own])
    assert supports.min() >= 0
    assert supports.sum(axis=0).max() <= 1 + 1e-5
    assert (supports[0] > supports[1])[first].mean() > 0.8
    assert (supports[1] > supports[0])[~first].mean() > 0.8


@pytest.mark.parametrize(("kind", "at", "turn"), ROOMS)
def test_auto_fills_each_part_of_the_hole_on_its_own_plane(kind, at, turn):
    picture, first, _ = room(kind, at, turn)
    hole = oval(picture.shape, 0.4)
    details = synth.fill_details(picture, hole)
    plain = ssim(synth.fill(picture, hole, planes=None), picture, hole)
    assert ssim(details.image, picture, hole) > plain + 0.1
    assert (details.image[~hole] == picture[~hole]).all()
    assert (details.pixels == np.argwhere(hole)).all()
    assert not hole[tuple(details.sources.T)].any()
    same = first[tuple(details.sources.T)] == first[tuple(details.pixels.T)]
    assert same.mean() > 0.98


def test_a_hole_on_one_of_two_walls_is_filled_from_that_one():
    picture, first, _ = room()
    hole = np.zeros(first.shape, bool)
    hole[110:210, 30:130] = True
    details = synth.fill_details(picture, hole, quality="draft")
    assert first[tuple(details.sources.T)].all()


def test_threads_and_what_is_in_the_hole_change_nothing(monkeypatch):
    picture, _, _ = room("floor", 0.6, -7)
    hole = oval(picture.shape, 0.4)
    monkeypatch.setenv("SYNTH_NUM_THREADS", "1")
    one = synth.fill(picture, hole, quality="draft", seed=5)
    monkeypatch.setenv("SYNTH_NUM_THREADS", "3")
    changed = np.where(hole, 255 - picture, picture)
    assert (synth.fill(changed, hole, quality="draft", seed=5) == one).all()


def test_best_keeps_both_planes_and_says_so():
    picture, first, _ = room()
    hole = oval(picture.shape, 0.4)
    details = synth.fill_details(picture, hole, quality="best")
    assert "several planes" in details.chosen.reason
    same = first[tuple(details.sources.T)] == first[tuple(details.pixels.T)]
    assert same.mean() > 0.98


def test_one_plane_stays_one():
    (plane,) = synth.find_planes(data.brick()).planes
    assert plane.region.all()


@pytest.mark.parametrize("name", ["camera", "page", "clock", "text", "colorwheel"])
def test_lines_that_only_look_like_planes_are_refused(name):
    # in each of these some line parts the edges of two vanishing points
    planes = synth.find_planes(getattr(data, name)()).planes
    assert not any(plane.clear for plane in planes)


def test_the_line_is_where_counting_puts_it():
    picture, _, _ = room("walls", 0.4, 8)
    edges = find_edges(picture, ~oval(picture.shape, 0.4)).of(slice(None, None, 4))
    points = [point for point, _ in vanishing_points(edges, most=4)]
    found = meeting(edges, points)
    assert found is not None
    best = naive_planes.parting(
        across(points[found.shared], edges.points),
        *(misses(points[n], edges) for n in (found.shared, found.low, found.high)),
        edges.weights,
    )
    assert found.plateau[0] <= best <= found.plateau[1]


@given(st.floats(-8, 8), st.floats(2, 8), st.floats(0, 1), st.integers(0, 2**20))
@settings(max_examples=40)
def test_a_line_through_the_shared_point_has_one_side_on_each(x, y, w, place):
    shared = np.array([x, y, w])
    shape = (61, 80)
    scale, (cx, cy) = frame(shape)
    at = (place / 2**20 - 0.5) * 1.2
    row, column = np.mgrid[: shape[0], : shape[1]]
    points = np.stack([(column.ravel() - cx) / scale, (row.ravel() - cy) / scale], axis=1)
    expected = across(shared, points).reshape(shape)
    clear = np.abs(expected - at) > 1e-9
    assert (side_of(shared, at, shape) == (expected < at))[clear].all()


def test_no_meeting_without_two_kinds_of_edges():
    edges = Edges(np.zeros((0, 2)), np.zeros((0, 2)), np.zeros(0))
    assert meeting(edges, [np.eye(3)[0], np.eye(3)[1], np.array([3.0, 0, 1])]) is None


def test_the_border_is_compared_where_a_copy_was_sampled():
    # a ramp, copied from half a pixel beside: nothing is to be corrected
    image = np.broadcast_to(np.arange(60.0)[None, :, None], (40, 60, 1)).copy()
    hole = np.zeros((40, 60), bool)
    hole[10:30, 10:30] = True
    pixels = np.argwhere(hole).astype(np.int32)

    class Exact:
        colours = pixels[:, 1:].astype(float)

        def beside(self, number, step):
            return pixels[number, 1:] + step[1] + 0.0, np.ones(len(number), bool)

    rounded = pixels + np.array([0, 1], np.int32)  # the nearest pixel, of another colour
    change = membrane(image, hole, hole, pixels, rounded, (0.0, 59.0), sampled=Exact())
    assert (change == 0).all()


def test_the_command_names_both(tmp_path):
    picture, _, _ = room("floor", 0.6, 0)
    save(tmp_path / "in.png", picture)
    done = call("planes", tmp_path / "in.png", "-o", tmp_path / "out.png", "--json")
    assert done.exit_code == 0, done.output
    planes = json.loads(done.stdout)["planes"]
    assert len(planes) == 2
    assert sum(plane["area"] for plane in planes) == pytest.approx(1)
    assert "upper" in done.stderr
    assert "lower" in done.stderr
