"""Cuts, shakes, flashes and stills, made of real pictures."""

from itertools import islice, pairwise

import numpy as np
import pytest

from emoje_edge.perception.bodies.scene import Scene
from emoje_edge.perception.media import decode
from research.bodies.people import other_cameras
from research.bodies.people import shots as pairs_beside
from research.bodies.scenes import SIGNERS, strips

CLIPS = ("openpose_video.avi", "liveportrait_d13.mp4", "intel_asl/no.mkv")


@pytest.fixture(scope="module")
def clips(shared_data):
    """Eight pictures [360, 640, 3] of each of three clips: a street, a portrait, a signer."""
    found = []
    for name in CLIPS:
        frames = [f.pixels for f in islice(decode(shared_data / "video" / name, audio=False, fps=12.5), 8)]
        rows = np.linspace(0, frames[0].shape[0] - 1, 360).astype(int)
        columns = np.linspace(0, frames[0].shape[1] - 1, 640).astype(int)
        found.append([frame[np.ix_(rows, columns)] for frame in frames])
    return found


def cuts(pictures):
    scene = Scene()
    return [scene.is_cut(picture) for picture in pictures]


def test_a_scene_that_goes_on_has_no_cut(clips):
    for clip in clips:
        assert not any(cuts(clip))


def test_every_change_of_clip_is_a_cut(clips):
    joined = [picture for clip in clips for picture in clip]
    assert [i for i, cut in enumerate(cuts(joined)) if cut] == [8, 16]


def test_a_shaken_camera_makes_none(clips):
    rng = np.random.default_rng(0)
    for clip in clips:
        assert not any(cuts(np.roll(picture, tuple(rng.integers(-24, 25, 2)), (0, 1)) for picture in clip))


@pytest.mark.parametrize("gain", [0.5, 1.6])
def test_neither_does_a_flash(clips, gain):
    for first, second in (clip[:2] for clip in clips):
        lit = np.clip(second * gain, 0, 255).astype(np.uint8)
        assert not any(cuts([first, lit, second]))


def test_two_shots_of_one_kind_are_a_cut(shared_data):
    """Bright wall, two dark bodies, by another camera each time: what is bright and what is dark is much the same."""
    clips = {name: strips(shared_data / "video", name)[:3] for name in SIGNERS}
    shots = [shot for seed in range(3) for shot in other_cameras(pairs_beside(clips), np.random.default_rng(seed))]
    scene = Scene()
    found = [[scene.is_cut(shown.pixels) for shown in shot] for shot in shots]
    assert found == [[False] + [False] * (len(found[0]) - 1)] + [[True] + [False] * (len(f) - 1) for f in found[1:]]


def test_noise_on_a_plain_wall_is_no_cut():
    rng = np.random.default_rng(0)
    assert not any(cuts(np.clip(128 + rng.normal(0, 4, (360, 640, 3)), 0, 255).astype(np.uint8) for _ in range(6)))


def test_another_size_is_another_scene(clips):
    assert cuts([clips[0][0], clips[0][0][:180]]) == [False, True]


@pytest.mark.parametrize("size", [(1, 1), (1, 900), (50, 8000)])
def test_odd_sizes(size):
    black, white = np.zeros((*size, 3), np.uint8), np.full((*size, 3), 255, np.uint8)
    assert not any(cuts([black, black, white, white]))


def test_stills_are_told_from_small_movements(clips):
    rng = np.random.default_rng(0)
    signer = clips[2]
    for first, second in pairwise(signer[:4]):
        scene = Scene()
        scene.is_cut(first)
        scene.mark_examined()
        scene.is_cut(np.clip(first + rng.integers(-2, 3, first.shape), 0, 255).astype(np.uint8))
        assert scene.is_still()
        hand = first.copy()
        hand[150:200, 300:340] = np.roll(second, 20, axis=1)[150:200, 300:340] // 2
        scene.is_cut(hand)
        assert not scene.is_still()
