"""Variables are read once, by type, and nonsense is refused by name."""

from pathlib import Path

import pytest

from connector_site.env import Environment, SettingRefused


def an_environment(**values: str) -> Environment:
    return Environment(values)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("on", True), ("1", True), ("TRUE", True), ("off", False), ("0", False), ("", True)],
)
def test_flag_reads_on_and_off_and_falls_back_when_empty(text: str, expected: bool) -> None:
    assert an_environment(DEBUG=text).flag("DEBUG", default=True, meaning="") is expected


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (lambda env: env.flag("NAME", default=True, meaning=""), "maybe"),
        (lambda env: env.whole_number("NAME", 1, meaning=""), "2.5"),
        (lambda env: env.whole_number("NAME", 1, meaning=""), "-1"),
        (lambda env: env.number("NAME", 1.0, meaning=""), "soon"),
        (lambda env: env.number("NAME", 1.0, meaning=""), "inf"),
        (lambda env: env.number("NAME", 1.0, meaning=""), "nan"),
        (lambda env: env.choice("NAME", ("a", "b"), "a", meaning=""), "c"),
        (lambda env: env.origin("NAME", meaning=""), "connect.example.com"),
        (lambda env: env.secret("NAME", meaning=""), ""),
    ],
)
def test_nonsense_is_refused_with_the_variables_name(read: object, text: str) -> None:
    environment = an_environment(NAME=text, NAME_FILE="/nowhere/at/all" if not text else "")

    with pytest.raises(SettingRefused, match="NAME"):
        read(environment)  # type: ignore[operator]


def test_secret_may_lie_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("open sesame\n")

    assert an_environment(KEY_FILE=str(file)).secret("KEY", meaning="") == "open sesame"


def test_secret_given_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingRefused, match="KEY_FILE"):
        an_environment(KEY="a", KEY_FILE=str(tmp_path)).secret("KEY", meaning="")


def test_secret_is_remembered_without_its_value() -> None:
    environment = an_environment(KEY="open sesame")

    environment.secret("KEY", meaning="Opens.")

    assert "open sesame" not in repr(environment.variables)
    assert environment.variables["KEY"].current == "(set)"


def test_words_are_split_at_commas() -> None:
    assert an_environment(PORTS="443, 8443,").words("PORTS", meaning="") == ["443", "8443"]


def test_origin_loses_its_last_slash() -> None:
    assert an_environment(URL="https://a.example/").origin("URL", meaning="") == "https://a.example"
