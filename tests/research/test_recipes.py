"""The recipes' own parts: tokenizer training, the branches in the default."""

from emoje_edge.emotion import EMOTIONS
from emoje_edge.model import AmEmoje
from research.recipes import audio, default, pose, tokeniser

LINES = ["Oh my God!!!", "I can’t believe it…", "WHAT?!", "you're [NAME], right?"] * 5


def test_tokens_are_numbered_by_spelling() -> None:
    # the library numbers tokens of equal count in hash order: files would differ from run to run
    vocabulary = tokeniser.train(iter(LINES), 300).get_vocab()
    words = sorted(vocabulary, key=vocabulary.__getitem__)
    special = len(tokeniser.special_tokens())
    assert words[:special] == tokeniser.special_tokens()
    assert words[special:] == sorted(words[special:])


def test_tokenizer_keeps_what_carries_emotion() -> None:
    trained = tokeniser.train(iter(LINES), 300)
    assert trained.encode("WHAT ?!").tokens == ["what", "?!"]
    assert trained.encode("God!!!!!").tokens[-1] == "!!"
    assert trained.encode("it…").tokens == trained.encode("it....").tokens
    assert (trained.token_to_id("[PAD]"), trained.token_to_id("[UNK]")) == (0, 1)


def test_branches_trained_alone_fit_into_the_default() -> None:
    whole = AmEmoje(default.model()).state_dict()
    for config, name in ((audio.model(EMOTIONS), "audio"), (pose.model(), "pose")):
        own = {k: v for k, v in AmEmoje(config).state_dict().items() if k.startswith(f"encoders.{name}.")}
        assert own
        assert all(whole[k].shape == v.shape for k, v in own.items())
