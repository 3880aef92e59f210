"""Temperatures: what is found is what was put in, and what it is worth on rows that it was not fitted on."""

import numpy as np
import pytest

from emoje_edge.errors import UsageError
from emoje_edge.evaluation.temperature import fit_temperature, held_out_probabilities, risk_coverage, tempered
from emoje_edge.metrics import calibration_error


def drawn(temperature: float, count: int = 4000) -> tuple[np.ndarray, np.ndarray]:
    """Labels drawn from the true probabilities, and logits that exaggerate these by `temperature`."""
    g = np.random.default_rng(0)
    true = g.normal(0, 1.5, (count, 7))
    p = tempered(true, 1.0)
    labels = np.array([g.choice(7, p=row) for row in p])
    return labels, true * temperature


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5])
def test_the_temperature_that_was_put_in_is_found(temperature: float) -> None:
    labels, logits = drawn(temperature)
    found = fit_temperature(labels, logits)
    assert found == pytest.approx(temperature, rel=0.06)
    assert calibration_error(labels, tempered(logits, found)) < 0.02
    # log-probabilities do as well as logits
    assert fit_temperature(labels, np.log(tempered(logits, 1.0))) == pytest.approx(found, rel=1e-3)


def test_no_label_changes_and_held_out_rows_are_calibrated_too() -> None:
    labels, logits = drawn(3.0)
    groups = [f"dialogue{i // 10}" for i in range(len(labels))]
    p = held_out_probabilities(labels, logits, groups)
    assert np.array_equal(p.argmax(1), logits.argmax(1))
    assert np.allclose(p.sum(1), 1)
    assert calibration_error(labels, tempered(logits, 1.0)) > 0.1
    assert calibration_error(labels, p) < 0.025


def test_the_surest_answers_are_wrong_least_often() -> None:
    labels, logits = drawn(1.0)
    curve = risk_coverage(labels, tempered(logits, 1.0), (1.0, 0.5, 0.1))
    coverages, confidences, wrong = zip(*curve, strict=True)
    assert coverages == (1.0, 0.5, 0.1)
    assert list(confidences) == sorted(confidences)
    assert wrong[0] > wrong[1] > wrong[2]
    assert wrong[0] == pytest.approx(float((logits.argmax(1) != labels).mean()))


@pytest.mark.parametrize(
    ("labels", "logits"),
    [
        (np.zeros(0, int), np.zeros((0, 7))),
        (np.zeros(2, int), np.zeros((3, 7))),
        (np.zeros(2, int), np.array([[0.0, np.nan], [1.0, 2.0]])),
        (np.zeros(1, int), np.array([[0.0, np.inf]])),
    ],
)
def test_what_cannot_be_fitted_is_refused(labels: np.ndarray, logits: np.ndarray) -> None:
    with pytest.raises(UsageError, match="finite"):
        fit_temperature(labels, logits)
