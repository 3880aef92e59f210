"""Branches that are trained alone fit into the default."""

from emoje_edge.emotion import EMOTIONS
from emoje_edge.model import AmEmoje
from research.recipes import audio, default, pose


def test_branches_trained_alone_fit_into_the_default() -> None:
    whole = AmEmoje(default.model()).state_dict()
    for config, name in ((audio.model(EMOTIONS), "audio"), (pose.model(), "pose")):
        own = {k: v for k, v in AmEmoje(config).state_dict().items() if k.startswith(f"encoders.{name}.")}
        assert own
        assert all(whole[k].shape == v.shape for k, v in own.items())
