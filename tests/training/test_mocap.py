"""Motion capture: BVH by hand-computed positions, the real sets, and views through random cameras."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emoje_edge.errors import UsageError, WorkError
from emoje_edge.perception.skeleton import JOINTS
from emoje_edge.training.datasets import cameras, mocap
from emoje_edge.training.datasets.bvh import read_bvh

ARM = """HIERARCHY
ROOT Hips
{
  OFFSET 0 0 0
  CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation
  JOINT Arm
  {
    OFFSET 0 10 0
    CHANNELS 3 Zrotation Xrotation Yrotation
    JOINT Hand
    {
      OFFSET 5 0 0
      CHANNELS 3 Zrotation Xrotation Yrotation
      End Site
      {
        OFFSET 1 0 0
      }
    }
  }
}
MOTION
Frames: 3
Frame Time: 0.04
1 2 3 0 0 0 0 0 0 0 0 0
0 0 0 90 0 0 0 0 0 0 0 0
0 0 0 0 0 0 90 0 90 0 0 0
"""


def rig(path: Path, *, frames: int = 40) -> Path:
    """A file in the form of the official release: all joints that are read, under one root."""
    places = {"Neck": (0, 150, 0), "Head": (0, 160, 0)}
    for side, sign in (("L", 1), ("R", -1)):
        places |= {f"UpperArm_{side}": (15 * sign, 145, 0), f"LowerArm_{side}": (17 * sign, 115, 0)}
        places |= {f"Hand_{side}": (18 * sign, 90, 0), f"UpperLeg_{side}": (9 * sign, 90, 0)}
        places |= {f"LowerLeg_{side}": (9 * sign, 48, 0), f"Foot_{side}": (9 * sign, 8, 0)}
    head = ["HIERARCHY", "ROOT joint_Root", "{", "OFFSET 0 0 0", "CHANNELS 3 Xposition Yposition Zposition"]
    for name, place in places.items():
        head += [f"JOINT {name}", "{", "OFFSET {} {} {}".format(*place), "CHANNELS 1 Xrotation"]
        head += ["End Site", "{", "OFFSET 0 1 0", "}", "}"]
    row = " ".join(["0"] * (3 + len(places)))
    motion = ["}", "MOTION", f"Frames: {frames}", "Frame Time: 0.0333333", *[row] * frames]
    path.write_text("\n".join(head + motion))
    return path


def test_forward_kinematics_against_positions_worked_out_by_hand(tmp_path: Path) -> None:
    file = tmp_path / "arm.bvh"
    file.write_text(ARM)
    clip = read_bvh(file)
    assert clip.joints == ("Hips", "Arm", "Hand")
    assert clip.fps == pytest.approx(25)
    expected = [
        [[1, 2, 3], [1, 12, 3], [6, 12, 3]],
        [[0, 0, 0], [-10, 0, 0], [-10, 5, 0]],  # the root turned 90 degrees about Z
        # the arm about Z, then about its own Y: the hand's (5, 0, 0) -> (0, 0, -5) -> (0, 0, -5)
        [[0, 0, 0], [0, 10, 0], [0, 10, -5]],
    ]
    np.testing.assert_allclose(clip.positions, expected, atol=1e-5)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("MOTION", "", "no BVH"),
        ("1 2 3 0", "1 2 3", "numbers for 3 frames"),
        ("90 0 0 0 0 0 0 0 0", "nan 0 0 0 0 0 0 0 0", "NaN"),
        ("Xposition", "Xscale", "unknown channel"),
        ("Frames: 3", "Frames: many", "broken"),
        ("0.04", "0", "no frame time"),
    ],
)
def test_broken_files_are_named(tmp_path: Path, old: str, new: str, said: str) -> None:
    file = tmp_path / "broken.bvh"
    file.write_text(ARM.replace(old, new, 1))
    with pytest.raises(WorkError, match=said) as error:
        read_bvh(file)
    assert "broken.bvh" in str(error.value)


def test_the_official_folder_layout(tmp_path: Path) -> None:
    rig(tmp_path / "dataset-1_bow_angry_001.bvh")
    rig(tmp_path / "dataset-1_walk_sad_001.bvh")
    motions = mocap.read_bandai(tmp_path)
    assert [(m.content, m.style) for m in motions] == [("bow", "angry"), ("walk", "sad")]
    assert motions[0].positions.shape == (40, 13, 3)
    left_hip = motions[0].positions[0, JOINTS.index("left_hip")]
    np.testing.assert_allclose(left_hip, [0.09, 0.90, 0], atol=1e-6)  # metres
    assert motions[0].positions[0, 0, 2] > 0  # the head point lies before the skull
    (tmp_path / "dataset-1_bow.bvh").write_text((tmp_path / "dataset-1_walk_sad_001.bvh").read_text())
    with pytest.raises(WorkError, match="content_style_take"):
        mocap.read_bandai(tmp_path)


def test_no_motions_and_foreign_joints_are_refused(tmp_path: Path) -> None:
    with pytest.raises(WorkError, match="no motions"):
        mocap.read_bandai(tmp_path)
    with pytest.raises(WorkError, match="cannot read"):
        mocap.read_bandai(tmp_path / "none.npz")
    with pytest.raises(UsageError, match="no joint"):
        mocap.to_skeleton(["Hips"], np.zeros((2, 1, 3)))


def test_bandai_positions_stand_upright_and_face_forward(shared_data: Path) -> None:
    motions = mocap.read_bandai(shared_data / "pose" / "bandai_train.npz")
    assert len(motions) == 144
    assert {m.style for m in motions} > set(mocap.STYLES)
    for motion in motions:
        start = motion.positions[0]
        assert start[0, 1] > start[7, 1] > start[11, 1]  # head, hip, ankle
        assert start[1, 0] > start[2, 0]  # facing +Z, the left shoulder is at the larger x


def test_folds_keep_a_content_and_its_kin_together(shared_data: Path) -> None:
    motions = mocap.read_bandai(shared_data / "pose" / "bandai_train.npz")
    folds = mocap.content_folds(motions)
    for family in (("walk", "walk-left", "walk-right"), ("run", "dash"), ("bye", "byebye")):
        assert len({int(f) for m, f in zip(motions, folds, strict=True) if m.content in family}) == 1
    assert len(set(folds.tolist())) == 5
    with pytest.raises(UsageError, match="folds"):
        mocap.content_folds(motions, 1)


def test_kinect_angles(shared_data: Path) -> None:
    kinect = mocap.read_kinect(shared_data / "pose" / "kinect_train.npz")
    assert kinect.angles.shape == (184, 29, 23)
    assert np.isfinite(kinect.angles).all()
    assert np.bincount(kinect.labels).tolist() == [32, 32, 24, 32, 32, 32]


def walker(frames: int = 240) -> np.ndarray:
    """A stick figure that walks towards +Z, in metres, facing +Z."""
    place = np.array(
        [
            [0, 1.6, 0.05],
            *([0.1 * s, 1.4, 0] for s in (1, -1)),
            *([0.15 * s, 1.1, 0] for s in (1, -1)),
            *([0.15 * s, 0.85, 0.1] for s in (1, -1)),
            *([0.06 * s, 1.0, 0] for s in (1, -1)),
            *([0.08 * s, 0.5, 0] for s in (1, -1)),
            *([0.08 * s, 0.08, 0] for s in (1, -1)),
        ]
    )
    body = np.repeat(place[None], frames, 0)
    body[..., 2] += np.linspace(0, 2, frames)[:, None]
    return body.astype(np.float32)


@given(st.integers(0, 2**32 - 1), st.integers(2, 400))
@settings(max_examples=60, deadline=None)
def test_any_view_is_what_the_network_takes(seed: int, frames: int) -> None:
    got = cameras.view(walker(frames), 30.0, np.random.default_rng(seed), cameras.CameraSettings())
    assert got.dtype == np.float32
    assert got.shape[1:] == (13, 3)
    assert 1 <= len(got) <= cameras.POSES
    assert np.isfinite(got).all()
    assert (got[got[..., 2] == 0] == 0).all()


def test_a_view_repeats_with_its_seed_and_differs_without() -> None:
    settings_ = cameras.CameraSettings()
    first, again, other = (cameras.view(walker(), 30.0, np.random.default_rng(s), settings_) for s in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert first.shape != other.shape or not np.array_equal(first, other)


def test_the_frontal_view_is_upright_and_unmirrored() -> None:
    got = cameras.view(walker(), 30.0, np.random.default_rng(0), cameras.FRONTAL)[10]
    assert (got[:, 2] == 1).all()
    assert got[0, 1] < got[1, 1] < got[7, 1] < got[11, 1]  # y down: head above shoulders, hips, ankles
    assert got[1, 0] > 0 > got[2, 0]  # seen from the front, the left shoulder is on the right of the picture
