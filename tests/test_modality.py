import pytest
from hypothesis import given
from hypothesis import strategies as st

from emoje_edge import Mask, Modality, UsageError

names = st.lists(st.sampled_from([m.value for m in Modality]), min_size=1)


@given(names, st.sampled_from([",", "+", " , "]))
def test_parse_ignores_order_case_and_repeats(chosen: list[str], separator: str) -> None:
    mask = Mask.parse(separator.join(name.upper() for name in chosen))
    assert set(mask.modalities) == {Modality(name) for name in chosen}
    assert Mask.parse(str(mask)) == Mask.parse(mask.folder) == mask


def test_there_are_seven_masks_in_a_stable_order() -> None:
    folders = [mask.folder for mask in Mask.all()]
    assert folders == ["text", "audio", "pose", "text+audio", "text+pose", "audio+pose", "text+audio+pose"]


def test_sets_behave_as_sets() -> None:
    pair, full = Mask.parse("text,pose"), Mask.parse("all")
    assert pair.issubset(full)
    assert not full.issubset(pair)
    assert Modality.AUDIO not in pair
    assert pair & Mask.parse("audio") is None
    assert pair & Mask.parse("pose,audio") == Mask.parse("pose")


@pytest.mark.parametrize("wrong", ["", "txt", "text,", "face", "text,pos"])
def test_a_wrong_mask_names_the_allowed_ones(wrong: str) -> None:
    with pytest.raises(UsageError, match="text,audio,pose") as error:
        Mask.parse(wrong)
    assert error.value.exit_code == 2


def test_a_typing_slip_gets_a_suggestion() -> None:
    with pytest.raises(UsageError, match="did you mean 'pose'"):
        Mask.parse("text,pos")


@pytest.mark.parametrize("bits", [0, 8, -1, True, 1.0])
def test_bits_are_checked(bits: object) -> None:
    with pytest.raises(UsageError):
        Mask(bits)  # type: ignore[arg-type]
