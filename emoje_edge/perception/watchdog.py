"""A live source whose packets come and give nothing is as lost as one that is silent; only nobody notices."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from emoje_edge.errors import WorkError
from emoje_edge.perception.readers import Reader

PATIENCE = 10.0  # s


class Watchdog:
    """Looks, at each packet, whether anything is still decoded.

    Args:
        name: of the source, for the error.
        readers: of its streams; one that never gave anything (a microphone that is announced and missing) may go on so.
    """

    def __init__(self, name: str, readers: Sequence[Reader], clock: Callable[[], float] = time.monotonic) -> None:
        self._name, self._readers, self._clock = name, readers, clock
        self._began = clock()
        self._ends = [(reader.end, self._began) for reader in readers]  # how far each was read, and since when

    def look(self) -> None:
        """Once a packet was read.

        Raises:
            WorkError: nothing, or nothing more of one of the streams, was decoded for ten seconds.
        """
        now = self._clock()
        if not any(reader.found for reader in self._readers) and now - self._began > PATIENCE:
            raise WorkError(f"{self._name} sends data, but for {PATIENCE:.0f} s no picture or sound could be decoded")
        for number, reader in enumerate(self._readers):
            end, since = self._ends[number]
            if reader.end != end or _skips(reader):
                self._ends[number] = (reader.end, now)
            elif reader.found and now - since > PATIENCE:
                kind = "pictures" if reader.stream.type == "video" else "sound"
                raise WorkError(f"{self._name} sends data, but for {PATIENCE:.0f} s no {kind}")


def _skips(reader: Reader) -> bool:
    """Whether pictures between key ones are passed over on purpose (`Media.hurry`)."""
    return str(reader.stream.codec_context.skip_frame) != "DEFAULT"
