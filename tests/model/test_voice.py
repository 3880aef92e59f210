import pytest
import torch

from emoje_edge.modality import Modality
from emoje_edge.model import AmEmoje, LogMelEncoder, ModelConfig
from emoje_edge.model.voice import USUAL, Baseline

CONFIG = ModelConfig(
    text=None, pose=None, audio=LogMelEncoder(width=32), cross_layers=0, state_width=0, width=32, heads=2
)


def _tokens(rows: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    g = torch.Generator().manual_seed(seed)
    there = torch.ones(rows, 5)
    there[0, 3:] = 0
    return torch.randn(rows, 5, 8, generator=g), there


def test_a_speaker_unknown_is_heard_against_the_usual_voice():
    baseline, (tokens, there) = Baseline(8).eval(), _tokens(2)
    baseline.usual.copy_(torch.arange(8.0))
    out, voice = baseline(tokens, there, torch.zeros(2, 9))
    torch.testing.assert_close(out, tokens - torch.arange(8.0))
    torch.testing.assert_close(voice[0, :-1], tokens[0, :3].mean(0))  # padding does not count
    assert voice[:, -1].tolist() == [1, 1]


def test_the_baseline_is_the_shrunk_mean_of_what_was_heard():
    baseline, (tokens, there) = Baseline(8).eval(), _tokens(1)
    baseline.usual.fill_(1.0)
    voice = torch.cat([torch.full((1, 8), 12.0), torch.tensor([[4.0]])], 1)  # four clips of 3 each
    out, _ = baseline(tokens, there, voice)
    torch.testing.assert_close(out, tokens - (USUAL * 1.0 + 4 * 3.0) / (USUAL + 4))


def test_silence_adds_nothing_to_a_voice():
    baseline, (tokens, there) = Baseline(8).eval(), _tokens(2)
    there[1] = 0
    before = torch.rand(2, 9)
    _, after = baseline(tokens, there, before)
    torch.testing.assert_close(after[1], before[1])
    assert float(after[0, -1] - before[0, -1]) == pytest.approx(1)


def test_a_conversation_at_once_is_the_conversation_step_by_step():
    torch.manual_seed(0)
    network = AmEmoje(CONFIG).eval()
    network.baseline.usual.normal_()
    sound, length = torch.randn(4, 64, 64), torch.tensor([64, 40, 64, 50], dtype=torch.int32)
    # rows 0, 1 and 3 are one speaker, row 2 another
    past = torch.zeros(4, 4)
    past[1, 0] = past[3, 0] = past[3, 1] = 1
    at_once = network.encode({Modality.AUDIO: (sound, length)}, past=past)
    voices = {"a": torch.zeros(1, 33), "b": torch.zeros(1, 33)}
    for row, name in enumerate("aaba"):
        one = {Modality.AUDIO: (sound[row : row + 1], length[row : row + 1])}
        found = network.encode(one, voice=voices[name])
        torch.testing.assert_close(found.own[0], at_once.own[row], atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(found.voice[0], at_once.voice[row], atol=1e-5, rtol=1e-4)
        voices[name] = found.voice
    known, unknown = (network.encode(one, voice=v).own for v in (voices["a"], None))
    assert (known - unknown).abs().max() > 1e-3  # the past is heard
    assert voices["a"][0, -1] == 3
    assert voices["b"][0, -1] == 1


def test_a_voice_that_is_only_another_one_sounds_alike_once_it_is_known():
    """What the baseline is for: a shift of all of a speaker's descriptors goes."""
    baseline = Baseline(8).eval()
    tokens, there = _tokens(1)
    shift = torch.randn(8)
    many = 1000
    out = []
    for own in (torch.zeros(8), shift):
        voice = torch.cat([many * own, torch.tensor([float(many)])])[None]
        out.append(baseline(tokens + own, there, voice)[0])
    torch.testing.assert_close(out[0], out[1], atol=0.02, rtol=0)
