"""What the host knows about a launch before it happens: tile sizes, constants, which grid fills the device.

Nothing here imports triton, so validation and byte counts work where it is not installed.
"""

from dataclasses import dataclass

MODALITIES = 3
SMALLEST_TILE = 16  # of tl.dot, in every direction
LARGEST_CAPACITY = 128  # a tile of a modality must fit a program's registers
LARGEST_WIDTH = 4096  # heads * head_dim: the weighing keeps one row of it in registers
# One program an utterance leaves a GPU idle until this many utterances per multiprocessor; below it, programs
# are (utterance, head, modality).  A figure from occupancy, not measured: see the README.
UTTERANCES_PER_MULTIPROCESSOR = 8


def power_of_two(n: int) -> int:
    """The smallest power of two that is not below `n`."""
    return 1 << max(n - 1, 0).bit_length()


def tile(capacity: int) -> int:
    """Rows of the tile that holds a segment."""
    return max(SMALLEST_TILE, power_of_two(capacity))


def present(mask: int) -> tuple[int, ...]:
    """Indices of the modalities in `mask`."""
    return tuple(m for m in range(MODALITIES) if mask >> m & 1)


@dataclass(frozen=True)
class Layout:
    """Everything about a launch that is fixed when a kernel is compiled.

    Args:
        capacities: tokens of text, audio, pose.
        heads, head_dim: H and DH.
        mask: bit m set where modality m may be present.
        row: elements from one token to the next in q, k and v: H * DH, or 3 * H * DH where they are slices of
            one packed projection.
    """

    capacities: tuple[int, int, int]
    heads: int
    head_dim: int
    mask: int
    row: int

    @property
    def width(self) -> int:
        return self.heads * self.head_dim

    @property
    def tokens(self) -> int:
        return sum(self.capacities)

    @property
    def targets(self) -> int:
        return len(present(self.mask))

    @property
    def warps(self) -> int:
        """At most two: no wgmma on Hopper, few barriers at tiles of 16 to 64 rows."""
        return 1 if self.targets == 1 else 2

    def weighing(self) -> dict[str, int | float]:
        """Constants of the weighing kernels."""
        d = self.width
        return {"D": d, "BLOCK_D": power_of_two(d), "ALPHA": d**-0.5, "MASK": self.mask}

    def attention(self) -> dict[str, int | float]:
        """Constants of the attention kernels."""
        capacities = {f"C{m}": c for m, c in enumerate(self.capacities)}
        tiles = {f"B{m}": tile(c) for m, c in enumerate(self.capacities)}
        shape = {"H": self.heads, "DH": self.head_dim, "ROW": self.row, "SCALE": self.head_dim**-0.5}
        return {**capacities, **tiles, **shape, "MASK": self.mask}

    def fused(self) -> dict[str, int | float]:
        """Constants of the kernels that do both."""
        weighing = self.weighing()
        return {**self.attention(), "BLOCK_D": weighing["BLOCK_D"], "ALPHA": weighing["ALPHA"]}


def narrow(utterances: int, multiprocessors: int) -> bool:
    """Whether one program an utterance fills the device, so that one launch does it all."""
    return utterances >= UTTERANCES_PER_MULTIPROCESSOR * multiprocessors


@dataclass(frozen=True)
class Floor:
    """Least work per call: what a perfect implementation would still have to do.

    Attributes:
        bytes: read and written in device memory, each tensor once.
        flop: multiplications and additions of the core, projections apart.
        launches: kernels.
    """

    bytes: int
    flop: int
    launches: int


def fused_floor(utterances: int, layout: Layout, itemsize: int = 2, *, backward: bool = False) -> Floor:
    """Floor of the fused operator: q, k, v and the gate once, the outputs once.

    The backward reads what the forward read and wrote with the incoming gradient, and writes the gradients.
    """
    d = layout.width
    c = [layout.capacities[m] for m in present(layout.mask)]
    pairs = sum(c) ** 2 - sum(x * x for x in c)
    inputs = (3 * sum(c) + 1) * d * itemsize + MODALITIES * 4
    outputs = MODALITIES * d * 4 + d * itemsize + MODALITIES * 4
    # q k^T on the pairs, one pooled row times V for each other modality and the own mean, weighing
    flop = 2 * pairs * d + 2 * len(c) * sum(c) * d + 4 * len(c) * d
    if not backward:
        return Floor(utterances * (inputs + outputs), utterances * flop, 1)
    gradients = (3 * layout.tokens + 1) * d * itemsize
    read = inputs + outputs
    # logits twice (query-major and key-major), ds k and ds^T q
    return Floor(utterances * (read + gradients), utterances * (4 * 2 * pairs * d), 1)


def separate_floor(utterances: int, layout: Layout, itemsize: int = 2) -> Floor:
    """The same work as three attention calls: keys and values joined, every token's output written, then pooled."""
    d, c = layout.width, [layout.capacities[m] for m in present(layout.mask)]
    s = sum(c)
    pairs = s**2 - sum(x * x for x in c)
    joined = sum(4 * (s - x) for x in c) * d * itemsize if len(c) > 1 else 0
    attention = sum(2 * x + 2 * (s - x) for x in c) * d * itemsize
    pooling = s * d * itemsize + MODALITIES * d * 4
    weighing = MODALITIES * d * 8 + 2 * d * itemsize
    return Floor(utterances * (joined + attention + pooling + weighing), utterances * 4 * pairs * d, 16)
