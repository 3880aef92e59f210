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
# two lines as subtitles have them, in the code pages that they are found in
SHORT = {
    "МАША: Почему ты опять опоздал?\n\nПрости меня.": "cp1251 koi8_r cp866 iso8859_5 mac_cyrillic",
    "Нет.": "cp1251 koi8_r",
    "Чому ти знову запізнився? Її тут немає, їжак.": "cp1251 koi8_u",
    "Защо пак закъсня за вечеря? Извинявай, моля.": "cp1251",
    "Γιατί άργησες πάλι; Συγγνώμη, αγάπη μου.": "cp1253 iso8859_7",
    "Neden yine geç kaldın? Özür dilerim, canım. Şimdi gidiyoruz.": "cp1254 iso8859_9",
    "Dlaczego znowu się spóźniłeś? Przepraszam cię, proszę.": "cp1250 iso8859_2",
    "Nie wiem, co powiedzieć. Wczoraj byłem w domu i nic nie robiłem.\n\nDobrze. To jest moja siostra.": "cp1250",
    "Miért késtél el megint? Sajnálom, őszintén, ű.": "cp1250 iso8859_2",
    "De ce ai întârziat din nou? Îmi pare rău, ţie şi.": "cp1250 iso8859_2",
    "Proč jsi zase přišel pozdě? Promiň, prosím tě.": "cp1250 iso8859_2",
    "למה איחרת שוב? אני מצטער.": "cp1255",
    "لماذا تأخرت مرة أخرى؟ أنا آسف.": "cp1256",
    "ทำไมคุณมาสายอีกแล้ว ฉันขอโทษ": "cp874",
    "花子：どうして遅れたんですか。\n\n本当にすみません。": "cp932 euc_jp iso2022_jp",
    "ありがとう": "cp932 euc_jp",
    "小红：你为什么又迟到了？\n\n对不起，请原谅我。": "gb18030 gbk",
    "你為什麼又遲到了？對不起，請原諒我。": "big5",
    "왜 또 늦었어요? 미안해요.": "euc_kr cp949",
    "Pourquoi es-tu encore en retard ? Désolé, j'étais très fatigué, ça va.": "cp1252 latin-1 cp850 mac_roman",
    "Warum bist du schon wieder zu spät? Es tut mir leid, natürlich. Größe.": "cp1252 cp850 cp437 mac_roman",
    "¿Por qué llegas tarde otra vez? ¡Lo siento, mañana será mejor!": "cp1252 cp850 mac_roman",
    "ZOË: It’s a naïve “café”… isn’t it?": "cp1252 mac_roman",
    "Kodėl vėl vėluoji? Atsiprašau, ačiū už viską.": "cp1257",
    "Af hverju ertu aftur sein? Fyrirgefðu, þetta er sárt.": "cp1252",
}
WIDE = (
    "Нет, никогда больше не говори мне этого, слышишь?",
    "ありがとう、本当に助かりました",
    "你为什么又迟到了",
    "Zoë: naïve",
)


@pytest.mark.parametrize(
    ("text", "encoding"), [(text, page) for text, pages in SHORT.items() for page in pages.split()]
)
def test_two_lines_are_enough_to_find_a_code_page(text: str, encoding: str) -> None:
    timed = f"1\n00:00:01,000 --> 00:00:02,000\n{text}\n"
    assert decoded(timed.encode(encoding), "a.srt") == timed


def test_a_foreign_word_in_english_is_no_mojibake() -> None:
    english = "We are going to the cinema now, and then we will all come back to the house.\n" * 4
    assert decoded(f"{english}Нет!\n".encode("cp1251"), "a.srt") == f"{english}Нет!\n"


@pytest.mark.parametrize("text", WIDE)
@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_wide_characters_without_their_mark(text: str, encoding: str) -> None:
    timed = f"1\n00:00:01,000 --> 00:00:02,000\n{text}\n"
    assert decoded(timed.encode(encoding), "a.srt") == timed
    long = timed + f"{text * 9}\n"
    assert decoded(long.encode(encoding), "a.srt") == long


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
