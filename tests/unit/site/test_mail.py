"""Mails kept as files, and the command that says whether mail works."""

import email
import smtplib
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend as KeptInMemory
from django.core.management import call_command


def test_a_mail_is_kept_as_a_file_that_mail_programs_open(settings: Any, tmp_path: Path) -> None:
    settings.EMAIL_BACKEND = "connector_site.mail_files.EmailBackend"
    settings.MAIL_DIRECTORY = str(tmp_path / "mails")

    mail.send_mail("Calder Bakery: 2 bills wait", "8,256.80", None, ["dana@calder.example"])

    [kept] = (tmp_path / "mails").iterdir()
    assert kept.name.startswith("calder-bakery-2-bills-wait-danacalderexample-")
    assert kept.suffix == ".eml"
    message = email.message_from_bytes(kept.read_bytes())
    assert (message["Subject"], message["To"]) == (
        "Calder Bakery: 2 bills wait",
        "dana@calder.example",
    )
    assert message.get_payload() == "8,256.80"


def test_a_test_mail_says_who_took_it(settings: Any, capsys: pytest.CaptureFixture[str]) -> None:
    settings.MAIL_IS_SET_UP, settings.EMAIL_HOST = True, "mail.example"

    call_command("send_test_mail", "dana@calder.example")

    assert "mail.example took the mail to dana@calder.example" in capsys.readouterr().out
    assert mail.outbox[0].to == ["dana@calder.example"]


class Refusing(KeptInMemory):
    """A mail server that lets nobody in."""

    def send_messages(self, messages: object) -> int:
        raise smtplib.SMTPAuthenticationError(535, b"5.7.8 bad credentials")


@pytest.mark.parametrize(
    ("is_set_up", "address", "code", "words"),
    [
        (False, "dana@calder.example", 2, "Mail is not set up. Set EMAIL_URL"),
        (True, "dana at calder", 2, "dana at calder is not an e-mail address."),
        (True, "dana@calder.example", 1, "refuses the sign-in of EMAIL_URL"),
    ],
)
def test_a_test_mail_that_does_not_go_says_why(
    settings: Any, capsys: pytest.CaptureFixture[str], is_set_up: bool, address: str, code: int,
    words: str,
) -> None:  # fmt: skip
    settings.MAIL_IS_SET_UP = is_set_up
    settings.EMAIL_BACKEND = f"{__name__}.Refusing"

    with pytest.raises(SystemExit) as ended:
        call_command("send_test_mail", address)

    assert ended.value.code == code
    assert words in capsys.readouterr().err
