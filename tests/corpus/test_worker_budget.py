"""Workers by cores and memory."""

import pytest

from emoje_edge.corpus.worker_budget import WorkerBudget
from emoje_edge.errors import UsageError
from emoje_edge.modality import Mask


def test_memory_bounds_the_workers_even_where_more_are_asked_for() -> None:
    budget = WorkerBudget(cores=8, free=1000, worker=400)
    assert budget.workers(None) == budget.workers(6) == 2
    assert budget.workers(1) == 1
    assert WorkerBudget(cores=8, free=100, worker=400).workers(None) == 1
    assert WorkerBudget(cores=3, free=None, worker=400).workers(None) == 3


def test_fewer_than_one_worker_is_refused() -> None:
    with pytest.raises(UsageError, match="--workers 0"):
        WorkerBudget(2, None, 100).workers(0)


def test_bodies_take_more_than_words() -> None:
    assert WorkerBudget.here(Mask.parse("pose")).worker > WorkerBudget.here(Mask.parse("text")).worker
