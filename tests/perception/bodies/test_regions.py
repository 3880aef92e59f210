"""Crops: geometry by hand, and the edges of pictures."""

import numpy as np
import pytest

from emoje_edge.perception.bodies.regions import Region, around, crop, squares

PICTURE = np.random.default_rng(0).integers(0, 255, (40, 60, 3), dtype=np.uint8)


def test_a_part_as_it_is():
    assert np.array_equal(crop(PICTURE, Region(25, 20, 16, 0.0), 16), PICTURE[12:28, 17:33])


def test_a_quarter_turn():
    # upright is what pointed to the right
    turned = crop(PICTURE, Region(25, 20, 16, np.pi / 2), 16)
    expected = np.rot90(PICTURE, 1)
    row, column = 60 - 1 - 25, 20
    part = expected[row - 8 : row + 10, column - 8 : column + 10].astype(int)
    best = min(np.abs(part[y : y + 16, x : x + 16] - turned).mean() for y in range(3) for x in range(3))
    assert best < 1


def test_between_two_pixels_is_their_mean():
    ramp = np.repeat(np.arange(0, 240, 4, dtype=np.uint8)[None, :, None], 40, 0).repeat(3, 2)
    shifted = crop(ramp, Region(25.5, 20, 16, 0.0), 16)
    assert np.abs(shifted[..., 0].astype(int) - (ramp[12:28, 17:33, 0] + 2)).max() <= 1


def test_beyond_the_picture_its_edge_goes_on_or_it_is_black():
    corner = Region(0, 0, 20, 0.0)
    assert (crop(PICTURE, corner, 20)[:10, :10] == PICTURE[0, 0]).all()
    assert (crop(PICTURE, corner, 20, black=True)[:10, :10] == 0).all()
    assert np.array_equal(crop(PICTURE, corner, 20)[10:, 10:], PICTURE[:10, :10])


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (9, 1), (2, 2)])
def test_tiny_pictures(size):
    picture = np.full((*size, 3), 200, np.uint8)
    assert (crop(picture, Region(0.5, 0.5, 4, 0.3), 8) == 200).all()


def test_squares_cover_the_longer_side_and_are_few():
    whole, *tiles = squares(640, 360)
    assert whole == Region(320, 180, 640, 0.0)
    assert {tile.side for tile in tiles} == {360}
    assert [tile.x for tile in tiles] == [180, 320, 460]
    assert squares(500, 500) == [Region(250, 250, 500, 0.0)]
    assert [tile.y for tile in squares(360, 640)[1:]] == [180, 320, 460]
    assert len(squares(8000, 50)) <= 8


def test_a_body_gives_its_crop():
    upright = around(np.array([100.0, 200.0]), np.array([100.0, 120.0]))
    assert (upright.x, upright.y) == (100, 200)
    assert upright.side == pytest.approx(200)  # a circle of 80 px and a quarter more
    assert upright.angle == pytest.approx(0)
    lying = around(np.array([100.0, 200.0]), np.array([180.0, 200.0]))
    assert lying.angle == pytest.approx(np.pi / 2)
