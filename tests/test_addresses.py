"""No way out for a camera's password: rows, errors, file names, notes and tracebacks."""

import subprocess
import sys
import traceback
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emoje_edge import WorkError
from emoje_edge.addresses import masked, masked_text
from emoje_edge.perception.sources import open_container

# what is secret is made of letters that stand nowhere else, and of all that takes an address apart
SECRET = st.text(alphabet="QXZ09@:/?#&=%;_.- é", min_size=1).filter(lambda s: set(s) & set("QXZ"))
HOST = st.sampled_from(["10.0.0.7", "cam.example.org:554", "[fe80::1]:8554"])
PATH = st.sampled_from(["", "/", "/live", "/live/ch1?channel=1&subtype=0", "/a.sdp?token=abc"])


def leaks(text: str) -> bool:
    return bool(set(text) & set("QXZ"))


@settings(max_examples=300)
@given(scheme=st.sampled_from(["rtsp", "RTSPS", "http", "rtmp"]), user=SECRET, password=SECRET, host=HOST, path=PATH)
def test_user_and_password_are_masked_whatever_they_hold(
    scheme: str, user: str, password: str, host: str, path: str
) -> None:
    address = f"{scheme.lower()}://{user}:{password}@{host}{path}"
    shown = masked(address)
    assert not leaks(shown)
    assert shown.startswith(f"{scheme.lower()}://***" + (f"@{host}" if "?" not in user + password else ""))
    assert not leaks(masked_text(f"{address} cannot be opened: gone\n  is it there?"))
    assert not leaks(str(WorkError(f"{address} is cut off", f"open {address}")))


@given(key=st.sampled_from(["token", "auth", "sig", "t", "password"]), value=SECRET.filter(lambda s: "&" not in s))
def test_values_of_a_query_are_masked(key: str, value: str) -> None:
    assert not leaks(masked(f"rtsp://10.0.0.7/live?channel=2&{key}={value}"))
    assert not leaks(masked(f"rtsp://10.0.0.7/user=admin_{key}={value.replace('?', '')}" if key == "password" else ""))


@given(text=st.text())
def test_what_is_no_address_stays_as_it_is(text: str) -> None:
    plain = text.replace("://", "")
    assert masked(plain) == masked_text(plain) == plain
    assert masked(Path("clips/a@b.mp4")) == "clips/a@b.mp4"


def test_which_camera_and_picture_is_meant_still_shows() -> None:
    assert masked("rtsp://u:p@10.0.0.7:554/live?channel=1&subtype=0&token=abc") == (
        "rtsp://***@10.0.0.7:554/live?channel=1&subtype=0&token=***"
    )
    assert masked("rtsp://h/user=admin_password=abc_channel=1_stream=0.sdp") == (
        "rtsp://h/user=***_password=***_channel=1_stream=0.sdp"
    )
    assert masked("rtsp://admin:secret") == "rtsp://admin:***"


def test_an_error_and_its_traceback_hold_no_password() -> None:
    with pytest.raises(WorkError) as caught:
        open_container("rtsp://QQQ:XXX@127.0.0.1:1/live?token=ZZZ")
    shown = "".join(traceback.format_exception(caught.value, limit=0))
    assert "rtsp://***@127.0.0.1:1/live?token=***" in shown
    assert not leaks(shown.replace(str(Path(__file__)), ""))


@pytest.mark.parametrize("extra", [[], ["second"]], ids=["one", "several"])
def test_the_command_line_says_no_password(extra: list[str], tmp_path: Path) -> None:
    addresses = ["rtsp://QQQ:XXX@127.0.0.1:1/live?token=ZZZ", *(f"rtsp://QQQ:XXX@127.0.0.1:2/{x}" for x in extra)]
    command = [sys.executable, "-m", "emoje_edge", "infer", *addresses, "--mask", "audio", "--out", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == (2 if extra else 1)  # two streams without an end are wrong use
    assert "rtsp://***@127.0.0.1:1/live" in done.stderr
    assert not leaks(done.stdout + done.stderr)
    assert not any(leaks(path.name) for path in tmp_path.iterdir())
