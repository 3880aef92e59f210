"""One process or several: under `torchrun` the batches are shared out and gradients averaged (DDP)."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from emoje_edge.errors import UsageError


@dataclass(frozen=True)
class World:
    """This process among its peers.

    Attributes:
        rank, size: which of how many.
        device: what this process computes on.
        joined: torch.distributed is up, and this object has to end it.
    """

    rank: int
    size: int
    device: torch.device
    joined: bool

    @classmethod
    def join(cls, device: str | None = None) -> World:
        """Join the group that `torchrun` describes in RANK and WORLD_SIZE; alone where there is none.

        Raises:
            UsageError: a device that is not here.
        """
        size, local = int(os.environ.get("WORLD_SIZE", "1")), int(os.environ.get("LOCAL_RANK", "0"))
        name = device or ("cuda" if torch.cuda.is_available() else "cpu")
        if name.startswith("cuda") and not torch.cuda.is_available():
            raise UsageError(f"device {name!r}: no CUDA device here", "allowed: cpu")
        chosen = torch.device(f"cuda:{local}" if name == "cuda" and size > 1 else name)
        if chosen.type == "cuda":
            torch.cuda.set_device(chosen)
        joined = "RANK" in os.environ and size > 1 and not dist.is_initialized()
        if joined:
            dist.init_process_group("nccl" if chosen.type == "cuda" else "gloo")
        return cls(int(os.environ.get("RANK", "0")) if size > 1 else 0, size, chosen, joined)

    @property
    def first(self) -> bool:
        """Whether this process is the one that writes."""
        return self.rank == 0

    def wrap(self, module: nn.Module) -> nn.Module:
        """The module whose backward averages gradients over all processes."""
        if self.size == 1:
            return module
        # masks leave branches out, so some parameters have no gradient in some steps
        return nn.parallel.DistributedDataParallel(module, find_unused_parameters=True)

    def reduce(self, module: nn.Module) -> None:
        """Average the gradients of a module that is not wrapped (the distillation's adapter)."""
        if self.size > 1:
            for parameter in module.parameters():
                if parameter.grad is None:
                    parameter.grad = torch.zeros_like(parameter)
                dist.all_reduce(parameter.grad)
                parameter.grad /= self.size

    def share(self, batches: list[Any]) -> list[Any]:
        """This process' batches; all get the same number, the last ones repeat from the front."""
        if self.size == 1:
            return batches
        short = -len(batches) % self.size
        return (batches + batches[:short])[self.rank :: self.size]

    def get_random(self) -> list[dict[str, Tensor]]:
        """Torch's random state of every process, in the order of ranks."""
        mine = {"cpu": torch.get_rng_state()}
        if self.device.type == "cuda":
            mine["cuda"] = torch.cuda.get_rng_state(self.device)
        if self.size == 1:
            return [mine]
        states: list[Any] = [None] * self.size
        dist.all_gather_object(states, mine)
        return states

    def set_random(self, states: list[dict[str, Tensor]]) -> None:
        """Put back what `get_random` returned.

        Raises:
            UsageError: the run was made by another number of processes.
        """
        if len(states) != self.size:
            raise UsageError(
                f"a checkpoint of {len(states)} processes in a run of {self.size}",
                f"resume with torchrun --nproc-per-node {len(states)}",
            )
        torch.set_rng_state(states[self.rank]["cpu"])
        if self.device.type == "cuda" and "cuda" in states[self.rank]:
            torch.cuda.set_rng_state(states[self.rank]["cuda"], self.device)

    def close(self) -> None:
        if self.joined:
            dist.destroy_process_group()
