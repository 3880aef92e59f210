"""One recogniser, many callers: each is answered for its own utterance, by threads, by streams and in a server."""

import asyncio
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from emoje_edge import DialogueState, Recognizer
from emoje_edge.utterance_emotion import UtteranceEmotion

THREADS, CALLS = 4, 300
SENTENCES = (
    "I hate you!",
    "That is wonderful, I am so happy!",
    "Okay.",
    "Oh my God, you scared me!",
    "I miss her so much.",
    "This is disgusting, take it away.",
    "What? You did what?",
    "We meet at nine.",
)


@pytest.fixture(scope="module")
def recognizer() -> Iterator[Recognizer]:
    with Recognizer("text") as opened:
        yield opened


@pytest.fixture(scope="module")
def alone(recognizer: Recognizer) -> dict[str, dict[str, float]]:
    """What each sentence gets while nobody else asks; no two of them the same."""
    answers = {sentence: recognizer.recognize(text=sentence).probabilities for sentence in SENTENCES}
    assert len({tuple(p.values()) for p in answers.values()}) == len(SENTENCES)
    return answers


def test_threads_get_the_answer_to_their_own_utterance(
    recognizer: Recognizer, alone: dict[str, dict[str, float]]
) -> None:
    def caller(thread: int) -> list[str]:
        asked = [SENTENCES[(thread + i) % len(SENTENCES)] for i in range(CALLS)]
        return [text for text in asked if recognizer.recognize(text=text).probabilities != pytest.approx(alone[text])]

    with ThreadPoolExecutor(THREADS) as pool:
        assert [wrong for found in pool.map(caller, range(THREADS)) for wrong in found] == []


def test_utterances_that_share_nothing_share_no_dialogue(recognizer: Recognizer) -> None:
    first = recognizer.recognize(text="Okay.", speaker="ROSS")
    recognizer.recognize(text="I hate you, get out!", speaker="RACHEL")
    assert recognizer.recognize(text="Okay.", speaker="ROSS").probabilities == first.probabilities


def test_an_engine_that_two_threads_open_at_once_is_opened_once(tmp_path: Path) -> None:
    with Recognizer() as fresh, ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(lambda text: fresh.recognize(text=text), SENTENCES[:THREADS]))
        text_sessions = {id(session) for mask, session in fresh._pool.sessions.items() if str(mask) == "text"}
        assert len(text_sessions) == 1


def script(folder: Path, name: str, sentences: tuple[str, ...]) -> tuple[Path, Path]:
    """Forty seconds of nothing, and 200 cues that say these sentences in turn, by two speakers."""
    import wave

    sound, cues = folder / f"{name}.wav", folder / f"{name}.srt"
    with wave.open(str(sound), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes(bytes(40 * 32_000))
    lines = (
        f"{i + 1}\n00:00:{i // 5:02d},{i % 5 * 200:03d} --> 00:00:{i // 5:02d},{i % 5 * 200 + 190:03d}\n"
        f"{'ROSS' if i % 3 else 'RACHEL'}: {sentences[i % len(sentences)]}\n"
        for i in range(200)
    )
    cues.write_text("\n".join(lines))
    return sound, cues


def rows(events: Iterator[UtteranceEmotion]) -> list[tuple[float, str | None, dict[str, float]]]:
    return [(event.start, event.speaker, event.probabilities) for event in events]


def test_two_streams_in_two_threads_do_not_mix(recognizer: Recognizer, tmp_path: Path) -> None:
    sources = [script(tmp_path, "a", SENTENCES[:4]), script(tmp_path, "b", SENTENCES[4:])]
    wanted = [rows(recognizer.stream(*source)) for source in sources]
    assert len(wanted[0]) == 200
    assert wanted[0] != wanted[1]
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda source: rows(recognizer.stream(*source)), sources))
    for got, expected in zip(found, wanted, strict=True):
        assert [row[:2] for row in got] == [row[:2] for row in expected]
        for (_, _, mine), (_, _, alone) in zip(got, expected, strict=True):
            assert mine == pytest.approx(alone, abs=1e-6)


def test_a_server_answers_every_client_with_its_own_conversation(recognizer: Recognizer) -> None:
    """An asyncio server as people write it: a connection is a conversation, the work is done in threads."""
    wanted = {}
    for client in range(THREADS):
        state = DialogueState()
        said = [SENTENCES[(client + i) % len(SENTENCES)] for i in range(20)]
        wanted[client] = [recognizer.recognize(text=text, speaker="A", state=state).probabilities for text in said]

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        state = DialogueState()
        while line := await reader.readline():
            event = await asyncio.to_thread(recognizer.recognize, text=line.decode().strip(), speaker="A", state=state)
            writer.write(json.dumps(event.probabilities).encode() + b"\n")
            await writer.drain()
        writer.close()

    async def client(number: int, port: int) -> list[dict[str, float]]:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        answers = []
        for i in range(20):
            writer.write(SENTENCES[(number + i) % len(SENTENCES)].encode() + b"\n")
            answers.append(json.loads(await reader.readline()))
        writer.close()
        await writer.wait_closed()
        return answers

    async def everyone() -> list[list[dict[str, float]]]:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            return await asyncio.gather(*(client(number, port) for number in range(THREADS)))

    for number, answers in enumerate(asyncio.run(everyone())):
        for answer, expected in zip(answers, wanted[number], strict=True):
            assert answer == pytest.approx(expected, abs=1e-6)
