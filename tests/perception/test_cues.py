from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emoje_edge.errors import EmojeError, UsageError, WorkError
from emoje_edge.perception.cues import embedded_cues, read_cues, sidecar
from emoje_edge.perception.media import probe

ASS = """[Script Info]
ScriptType: v4.00+

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour
Style: Default,Arial,16,&H00FFFFFF

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
Comment: 0,0:00:00.00,0:00:09.00,Default,Nobody,0,0,0,,not said
Dialogue: 0,0:00:03.00,0:00:04.00,Default,Rachel,0,0,0,,{\\i1}Later{\\i0}\\Non, too
Dialogue: 0,0:00:01.00,0:00:02.50,Default,Ross,0,0,0,,Hi, you
Dialogue: 0,0:00:05.00,0:00:06.00,Default,,0,0,0,,{\\p1}m 0 0 l 100 0{\\p0}
"""


def _srt(*cues: str) -> str:
    """Cues of one second, one after the other."""
    return "\n".join(f"{i + 1}\n00:00:{i:02},000 --> 00:00:{i + 1:02},000\n{cue}\n" for i, cue in enumerate(cues))


def _said(path: Path) -> list[tuple[str | None, str | None]]:
    return [(cue.speaker, cue.text) for cue in read_cues(path)]


@pytest.fixture
def srt(tmp_path):
    def write(*cues: str) -> Path:
        path = tmp_path / "clip.srt"
        path.write_text(_srt(*cues), encoding="utf-8")
        return path

    return write


@pytest.mark.parametrize(
    ("cue", "said"),
    [
        ("ROSS: Hi.", [("ROSS", "Hi.")]),
        ("Ross: Hi.", [("Ross", "Hi.")]),
        ("[ROSS] Hi.", [("ROSS", "Hi.")]),
        ("(ROSS) Hi.", [("ROSS", "Hi.")]),
        ("DR. GREEN (angry): Out!", [("DR. GREEN", "Out!")]),
        ("MAN 2: Me too.", [("MAN 2", "Me too.")]),
        ("ÉMILE: Non.", [("ÉMILE", "Non.")]),
        ("<i>Hi</i> <b>you</b> {\\an8}there", [(None, "Hi you there")]),
        ("Rock &amp; roll", [(None, "Rock & roll")]),
        ("[sighs] All right.", [(None, "All right.")]),
        ("ROSS: [laughing] No!", [("ROSS", "No!")]),
        ("- Hi.\n- Hello.", [(None, "Hi."), (None, "Hello.")]),
        ("ROSS: Hi.\nMONICA: Hello\nyou.", [("ROSS", "Hi."), ("MONICA", "Hello you.")]),
        (">> Now this.", [(None, "Now this.")]),
        ("Meet at 10:30 sharp", [(None, "Meet at 10:30 sharp")]),
        ("Listen: it rains.", [(None, "Listen: it rains.")]),
        ("[music]", []),
        ("♪ la la la ♪", []),
        ("♪", []),
        ("(applause)", []),
        ("...", []),
        ("", []),
    ],
)
def test_speakers_and_words(srt, cue, said):
    assert _said(srt(cue)) == said


def test_a_capitalised_word_is_a_name_only_if_it_returns(srt):
    others = ["One thing.", "Another thing.", "And more.", "And more yet."]
    assert _said(srt("Warsaw: it snows.", *others))[0] == (None, "Warsaw: it snows.")
    assert _said(srt("Ross: Hi.", *others, "Ross: Bye."))[0] == ("Ross", "Hi.")


def test_who_share_a_cue_share_its_time(srt):
    first, second = read_cues(srt("- aaaa\n- bbbbbbbbbbbb"))
    assert (first.start, first.end, second.start, second.end) == pytest.approx((0, 0.25, 0.25, 1.0))


def test_times_out_of_order_overlapping_empty_and_repeated(tmp_path):
    path = tmp_path / "odd.srt"
    path.write_text(
        "1\n00:00:05,000 --> 00:00:06,000\nlast\n\n"
        "2\n00:00:01,000 --> 00:00:04,000\nlong\n\n"
        "3\n00:00:02,000 --> 00:00:03,000\ninside\n\n"
        "4\n00:00:02,500 --> 00:00:02,500\nno time at all\n\n"
        "5\n00:00:04,000 --> 00:00:03,000\nbackwards\n\n"
        "6\n00:00:05,000 --> 00:00:06,000\nlast\n\n"
    )
    cues = read_cues(path)
    assert [cue.text for cue in cues] == ["long", "inside", "no time at all", "backwards", "last"]
    assert all(cue.end - cue.start >= 0.4 for cue in cues)
    assert [cue.start for cue in cues] == sorted(cue.start for cue in cues)


def test_webvtt(tmp_path):
    path = tmp_path / "clip.vtt"
    path.write_text(
        "WEBVTT - title\n\nNOTE not said\n\nintro\n00:01.000 --> 00:02.000 align:left\n<v Ross>Hi <c.x>there</c></v>\n"
        "\nSTYLE\n::cue {}\n\nNOTE nor\nthis\n\nsecond\n01:00:03.000 --> 01:00:04.000\n"
        "<v.loud Mary Ann>Yes\n<v Ross>No\n"
    )
    assert _said(path) == [("Ross", "Hi there"), ("Mary Ann", "Yes"), ("Ross", "No")]
    assert read_cues(path)[1].start == 3603.0


def test_ass(tmp_path):
    path = tmp_path / "clip.ass"
    path.write_text(ASS)
    assert [(c.start, c.end, c.speaker, c.text) for c in read_cues(path)] == [
        (1.0, 2.5, "Ross", "Hi, you"),
        (3.0, 4.0, "Rachel", "Later on, too"),
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_encodings(tmp_path, encoding):
    path = tmp_path / "clip.srt"
    path.write_bytes(_srt("ZOË: Schön, naïve…").encode(encoding))
    assert _said(path) == [("ZOË", "Schön, naïve…")]


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        ("a.srt", _srt("one") + "\n2\n00:00:0x,000 --> 00:00:05,000\ntwo\n", 6),
        ("a.srt", "1\n00:00:01,000 -->\nhello\n", 2),
        ("a.vtt", "WEBVTT\n\n00:01 --> 00:02.000\nhello\n", 3),
        ("a.ass", ASS.replace("0:00:01.00", "soon"), 12),
        ("a.ass", ASS.replace("Default,Ross,0,0,0,,Hi, you", "Hi"), 12),
        ("a.srt", "no cue\nat all\n", 2),
        ("a.srt", "", 1),
        ("a.srt", "line\nbinary \0\1\2", 2),
    ],
)
def test_broken_files_are_named_with_the_line(tmp_path, name, content, line):
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(WorkError, match=rf"{name}, line {line}: ") as caught:
        read_cues(path)
    assert "--mask audio,pose" in caught.value.hint


def test_missing_file(tmp_path):
    with pytest.raises(UsageError, match=r"no file .*none\.srt"):
        read_cues(tmp_path / "none.srt")


def test_files_beside_a_video(tmp_path):
    video = tmp_path / "my.clip.mp4"
    assert sidecar(video) is None
    (tmp_path / "my.srt").touch()
    assert sidecar(video) is None
    (tmp_path / "my.clip.en.vtt").touch()
    assert sidecar(video) == tmp_path / "my.clip.en.vtt"
    (tmp_path / "my.clip.ass").touch()
    assert sidecar(video) == tmp_path / "my.clip.ass"


@pytest.mark.parametrize(
    ("name", "codec", "first"),
    [("a.mkv", "subrip", "ROSS"), ("a.mkv", "ass", "Ross"), ("a.mp4", "mov_text", "ROSS")],
)
def test_embedded(clip, name, codec, first):
    words = "Hi, there" if codec == "ass" else "ROSS: Hi, there"
    cues = [
        (500, 1200, f"0,0,Default,Ross,0,0,0,,{words}"),
        (1300, 1400, "1,0,Default,,0,0,0,,[music]"),
        (1500, 1900, "2,0,Default,,0,0,0,,- Yes\\N- No"),
    ]
    path = clip(name, subtitles=cues, subtitle_codec=codec)
    found = embedded_cues(path, probe(path))
    assert [(cue.speaker, cue.text) for cue in found] == [(first, "Hi, there"), (None, "Yes"), (None, "No")]
    assert found[0].start == pytest.approx(0.5, abs=0.01)
    assert found[-1].end == pytest.approx(1.9, abs=0.01)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.floats(0, 5000), st.floats(0, 5000), st.text(st.characters(codec="utf-8", exclude_characters="\0"))
        ),
        max_size=6,
    )
)
def test_any_text_gives_sound_cues_or_a_clear_error(tmp_path_factory, cues):
    def stamp(seconds: float) -> str:
        milliseconds = round(seconds * 1000)
        minutes, rest = divmod(milliseconds, 60_000)
        return f"{minutes // 60:02}:{minutes % 60:02}:{rest // 1000:02},{rest % 1000:03}"

    path = tmp_path_factory.mktemp("cues") / "any.srt"
    text = "".join(f"{i}\n{stamp(a)} --> {stamp(b)}\n{words}\n\n" for i, (a, b, words) in enumerate(cues))
    path.write_text(text, encoding="utf-8")
    try:
        found = read_cues(path)
    except EmojeError as error:
        if "any.srt" not in error.message:
            raise
        return
    for cue in found:
        assert 0 <= cue.start < cue.end
        assert cue.text
        assert any(c.isalnum() for c in cue.text)
        assert cue.speaker is None or cue.speaker.strip()
