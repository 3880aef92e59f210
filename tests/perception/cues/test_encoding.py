"""Every encoding that subtitles come in: read rightly, or told; no mojibake in silence."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emoje_edge.errors import UsageError, WorkError
from emoje_edge.perception.cues import read_cues
from emoje_edge.perception.cues.encoding import decoded

WESTERN = "CHLOÉ: Ça va très bien… et toi, où es-tu?\nZOË: “Schön” – naïve Größe!\n"
LINES = {
    "cp1251": "МАША: Почему ты опять опоздал на ужин?\nИВАН: Прости меня, пожалуйста.\n",
    "koi8-r": "МАША: Почему ты опять опоздал на ужин?\nИВАН: Прости меня, пожалуйста.\n",
    "shift_jis": "花子：どうして遅れたんですか。\n太郎：本当にすみませんでした。\n",
    "gb18030": "小红：你为什么又迟到了？\n小明：对不起，请原谅我。\n",
    "euc-kr": "지수: 왜 또 늦었어요? 정말 화가 나요.\n민호: 미안해요, 용서해 주세요.\n",
    "cp1250": "JIŘÍ: Příliš dlouho jsem čekal, proč?\nŠÁRKA: Žádné výmluvy, prosím tě.\n",
}


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252", "latin-1"]
)
def test_western_text_of_every_encoding(encoding: str) -> None:
    text = "CHLOÉ: Ça va très bien, où es-tu?\n" if encoding == "latin-1" else WESTERN
    assert decoded(text.encode(encoding), "a.srt") == text


@pytest.mark.parametrize("encoding", LINES)
def test_an_old_code_page_is_found_and_told(encoding: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert decoded(LINES[encoding].encode(encoding), "a.srt") == LINES[encoding]
    assert "a.srt is not UTF-8" in caplog.text
    assert "--encoding" in caplog.text


@pytest.mark.parametrize("stray", [b"\x92", b"\x85", b"\xe9", b"\x81"])
def test_a_stray_byte_does_not_spoil_the_rest(stray: bytes) -> None:
    text = decoded(WESTERN.encode() + b"It" + stray + b"s\n", "a.srt")
    assert text.startswith(WESTERN)
    assert text.removeprefix(WESTERN) == f"It{stray.decode('cp1252', 'replace')}s\n"


@pytest.mark.parametrize("stray", [b"\xff", b"\xe9", b"\x97", b"\xb3"])
def test_english_with_a_stray_byte_is_no_other_language(stray: bytes, caplog: pytest.LogCaptureFixture) -> None:
    english = b"ANNE: What a wonderful day, is it not?\nBOB: Leave me alone now, will you.\n"
    with caplog.at_level(logging.WARNING):
        assert decoded(english + stray, "a.srt") == english.decode() + stray.decode("cp1252")
    assert not caplog.records


def test_utf8_that_was_encoded_twice_is_put_right() -> None:
    twice = WESTERN.encode().decode("cp1252", "ignore").encode()
    once = decoded(twice, "a.srt")
    assert "CHLOÉ: Ça va très bien… et toi" in once
    assert "Schön" in once


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0\ufeff", exclude_categories=["Cs"])))
def test_what_is_utf8_stays_as_it_is(text: str) -> None:
    plain = "".join(c for c in text if not 0x80 <= ord(c) <= 0xFF)  # what looks encoded twice is made of these
    assert decoded(plain.encode(), "a.srt") == plain


def test_the_user_has_the_last_word(tmp_path: Path) -> None:
    path = tmp_path / "a.srt"
    path.write_bytes("1\n00:00:01,000 --> 00:00:02,000\nИВАН: Нет\n".encode("cp866"))
    assert [(cue.speaker, cue.text) for cue in read_cues(path, "cp866")] == [("ИВАН", "Нет")]
    with pytest.raises(UsageError, match="is not in utf-8"):
        read_cues(path, "utf-8")
    with pytest.raises(UsageError, match="cp9999 is not known"):
        read_cues(path, "cp9999")


@pytest.mark.parametrize("data", [b"\x00\x01\x02\x03 GIF", bytes(100), b"a\n\0"])
def test_what_is_no_text_is_an_error(data: bytes) -> None:
    with pytest.raises(WorkError, match="no text file"):
        decoded(data, "a.srt")
