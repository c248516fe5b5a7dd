"""The transport against a real server that misbehaves."""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest

from integrations.dialing import Dialer
from integrations.errors import (
    AddressRefused,
    IntegrationError,
    OutcomeUnknown,
    ServerFault,
    UnexpectedAnswer,
    Unreachable,
)
from integrations.guard import AddressPolicy, PolicyMode, Target, origin_of
from integrations.ping.ladder import Step, Verdict, climb
from integrations.ping.reach import Reach
from integrations.standins.messages import Reply, Request
from integrations.standins.server import StandInServer
from integrations.transport import Call, Record, Transport


class EchoWorld:
    """Counts what it was asked and remembers the last request."""

    name: ClassVar[str] = "echo"
    ACTIONS: ClassVar[frozenset[str]] = frozenset()

    def __init__(self) -> None:
        self.asked: list[Request] = []

    def handle(self, request: Request) -> Reply:
        self.asked.append(request)
        if request.path == "/moved":
            headers = {"Location": "http://169.254.169.254/latest"}
            return Reply(status=302, headers=headers)
        reply = Reply.json(200, {"text": "x" * 2000})
        reply.headers["Set-Cookie"] = "session=1"
        return reply

    def normalise_path(self, path: str) -> str:
        return path

    def ledger(self) -> object:
        return None

    def read_switches(self) -> dict[str, object]:
        return {}

    def set_switches(self, changes: Any) -> None:
        return None


@pytest.fixture
def server() -> Iterator[StandInServer]:
    with StandInServer(EchoWorld()) as running:
        yield running


def a_transport(*urls: str, **options: Any) -> Transport:
    policy = AddressPolicy(practice_origins=frozenset(origin_of(url) for url in urls))
    return Transport(policy, wait=lambda _: None, **options)


def a_read(server: StandInServer, path: str = "/", seconds: float = 5.0, **more: Any) -> Call:
    url = f"{server.url}{path}"
    return Call(method="GET", url=url, deadline_seconds=seconds, system="Sage 300", **more)


def a_write(server: StandInServer, path: str = "/", seconds: float = 5.0) -> Call:
    return Call(
        method="POST",
        url=f"{server.url}{path}",
        deadline_seconds=seconds,
        body=b"{}",
        is_write=True,
        system="Sage 300",
    )


def asked(server: StandInServer) -> list[Request]:
    world = server.world
    assert isinstance(world, EchoWorld)
    return world.asked


def test_an_answer_comes_back_whole(server: StandInServer) -> None:
    answer = a_transport(server.url).send(a_read(server))

    assert answer.status == 200
    assert len(answer.body) > 2000
    assert answer.content_type == "application/json"


def test_reads_share_a_connection_and_writes_open_their_own(server: StandInServer) -> None:
    transport = a_transport(server.url)
    opened = _count_connections(server)

    for _ in range(3):
        transport.send(a_read(server))
    after_reads = opened()
    for _ in range(2):
        transport.send(a_write(server))

    assert (after_reads, opened()) == (1, 3)


def _count_connections(server: StandInServer) -> Any:
    httpd: Any = server._httpd
    original = httpd.process_request
    seen: list[object] = []

    def process_request(request: Any, client_address: Any) -> None:
        seen.append(client_address)
        original(request, client_address)

    httpd.process_request = process_request
    return lambda: len(seen)


def test_no_cookie_of_the_server_is_ever_sent_back(server: StandInServer) -> None:
    transport = a_transport(server.url)

    transport.send(a_read(server))
    transport.send(a_read(server))

    assert all("cookie" not in request.headers for request in asked(server))


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_passing_fault_is_read_again(server: StandInServer, status: int) -> None:
    server.faults.add("status", "GET /", status=status)

    assert a_transport(server.url).send(a_read(server)).status == 200


def test_a_lasting_fault_is_handed_on_after_three_tries(server: StandInServer) -> None:
    server.faults.add("status", "GET /", status=503, times=0)

    answer = a_transport(server.url).send(a_read(server))

    assert answer.status == 503
    assert len(server.faults.hits) == 3


def test_a_write_is_sent_once_whatever_happens(server: StandInServer) -> None:
    server.faults.add("status", "POST /", status=503, times=0)

    answer = a_transport(server.url).send(a_write(server))

    assert answer.status == 503
    assert len(server.faults.hits) == 1


@pytest.mark.parametrize(
    "fault", [{"kind": "lose_answer"}, {"kind": "truncate"}, {"kind": "refuse"}]
)
def test_a_lost_answer_is_read_again_and_never_written_again(
    server: StandInServer, fault: dict[str, Any]
) -> None:
    transport = a_transport(server.url)
    server.faults.add(**fault, match="GET /")
    server.faults.add(**fault, match="POST /", times=0)

    assert transport.send(a_read(server)).status == 200
    with pytest.raises(OutcomeUnknown) as lost:
        transport.send(a_write(server))

    assert "may or may not have been done" in lost.value.sentence
    assert [hit[1] for hit in server.faults.hits].count("POST") == 1


def test_a_read_that_stays_lost_is_a_server_fault(server: StandInServer) -> None:
    server.faults.add("truncate", "GET /", times=0)

    with pytest.raises(ServerFault):
        a_transport(server.url).send(a_read(server))


@pytest.mark.parametrize("kind", ["delay", "drip"])
def test_the_deadline_holds_also_against_one_byte_at_a_time(
    server: StandInServer, kind: str
) -> None:
    server.faults.add(kind, "* /", times=0, seconds=0.2 if kind == "drip" else 3.0)
    transport = a_transport(server.url)
    started = time.monotonic()

    with pytest.raises(ServerFault):
        transport.send(a_read(server, seconds=0.4))
    with pytest.raises(OutcomeUnknown):
        transport.send(a_write(server, seconds=0.4))

    assert time.monotonic() - started < 2.0


def test_the_deadline_holds_while_the_headers_drip() -> None:
    with DrippingHeaders() as url:
        started = time.monotonic()
        call = Call(method="POST", url=url, deadline_seconds=0.4, is_write=True)

        with pytest.raises(OutcomeUnknown):
            a_transport(url).send(call)

        assert time.monotonic() - started < 1.5


class DrippingHeaders:
    """A server that sends one letter of an endless header every 50 ms."""

    def __enter__(self) -> str:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._over = threading.Event()
        threading.Thread(target=self._serve, daemon=True).start()
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def _serve(self) -> None:
        with self._listener.accept()[0] as connection:
            try:
                connection.sendall(b"HTTP/1.1 200 OK\r\nX-Long: ")
                while not self._over.wait(0.05):
                    connection.sendall(b"x")
            except OSError:
                return

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._listener.close()


@pytest.mark.parametrize("kind", ["huge", "gzip_bomb"])
def test_an_answer_of_ten_megabytes_is_dropped_at_the_cap(server: StandInServer, kind: str) -> None:
    server.faults.add(kind, "* /", times=0, size_mib=10)
    transport = a_transport(server.url, max_bytes=1024 * 1024)

    with pytest.raises(UnexpectedAnswer) as refused:
        transport.send(a_read(server))
    with pytest.raises(OutcomeUnknown):
        transport.send(a_write(server))

    assert "more than 1 MB" in refused.value.sentence


@pytest.mark.parametrize("make", [a_read, a_write])
def test_a_redirect_is_not_followed(server: StandInServer, make: Any) -> None:
    with pytest.raises(AddressRefused) as refused:
        a_transport(server.url).send(make(server, "/moved"))

    assert "sends us on to 169.254.169.254" in refused.value.sentence
    assert len(asked(server)) == 1


@pytest.mark.parametrize("make", [a_read, a_write])
def test_a_server_that_is_off_was_never_written_to(server: StandInServer, make: Any) -> None:
    call = make(server)
    transport = a_transport(server.url)
    server.stop()

    with pytest.raises(Unreachable) as failed:
        transport.send(call)

    assert "turned away" in failed.value.sentence


@pytest.mark.parametrize("is_write", [False, True])
def test_a_name_nobody_knows_was_never_written_to(is_write: bool) -> None:
    def resolver(host: str, port: int) -> list[str]:
        raise socket.gaierror(-2, "Name or service not known")

    transport = Transport(AddressPolicy(), resolver=resolver, wait=lambda _: None)
    call = Call(
        method="POST", url="https://sage.example.com", deadline_seconds=2, is_write=is_write
    )

    with pytest.raises(Unreachable) as failed:
        transport.send(call)

    assert "no server answers to the name sage.example.com" in failed.value.sentence


def test_a_name_that_changes_its_answer_is_judged_at_every_connection() -> None:
    answers = iter([["93.184.216.34"], ["127.0.0.1"], ["127.0.0.1"]])
    policy = AddressPolicy()

    policy.check_answers(policy.check_url("https://rebind.example"), next(answers))
    transport = Transport(policy, resolver=lambda host, port: next(answers), wait=lambda _: None)

    with pytest.raises(AddressRefused):
        transport.send(Call(method="GET", url="https://rebind.example", deadline_seconds=2))


def test_the_judged_address_is_the_one_dialled_and_the_name_stays_in_the_request(
    server: StandInServer,
) -> None:
    port = int(server.url.rpartition(":")[2])
    url = f"http://sage.example.test:{port}"
    policy = AddressPolicy(practice_origins=frozenset({url}))
    transport = Transport(policy, resolver=lambda host, at: ["127.0.0.1"])

    transport.send(Call(method="GET", url=url, deadline_seconds=2))

    assert asked(server)[0].headers["host"] == f"sage.example.test:{port}"


def test_a_record_tells_the_exchange_without_its_secrets(server: StandInServer) -> None:
    records: list[Record] = []
    transport = a_transport(server.url, request_ids=lambda: "id-1")
    call = a_read(server, "/vendors/HUNTER2?password=HUNTER2", secrets=("HUNTER2",))

    transport.send(call, observe=records.append)

    assert [(r.method, r.path, r.status, r.outcome, r.request_id) for r in records] == [
        ("GET", "/vendors/***", 200, "answered", "id-1")
    ]


def test_every_try_on_the_wire_is_observed(server: StandInServer) -> None:
    server.faults.add("status", "GET /", status=503)
    server.faults.add("lose_answer", "GET /")
    records: list[Record] = []

    a_transport(server.url).send(a_read(server), observe=records.append)

    assert [record.outcome for record in records] == ["answered", "ServerFault", "answered"]


def test_a_short_retry_after_is_waited_out_and_a_long_one_handed_on(
    server: StandInServer,
) -> None:
    waits: list[float] = []
    policy = AddressPolicy(practice_origins=frozenset({server.url}))
    transport = Transport(policy, wait=waits.append)
    server.faults.add("status", "GET /", status=429, retry_after="2")

    answer = transport.send(a_read(server))
    server.faults.add("status", "GET /", status=429, retry_after="3600")
    refused = transport.send(a_read(server))

    assert (answer.status, waits) == (200, [2.0])
    assert (refused.status, refused.retry_after_seconds) == (429, 3600.0)


def test_proxies_of_the_environment_are_not_used(
    server: StandInServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")

    assert a_transport(server.url).send(a_read(server)).status == 200


def test_a_header_that_cannot_be_sent_is_a_fault_of_ours_and_not_an_unknown_outcome(
    server: StandInServer,
) -> None:
    call = Call(
        method="POST",
        url=server.url,
        deadline_seconds=2,
        headers={"X-Bad": "one\ntwo"},
        is_write=True,
    )

    with pytest.raises(IntegrationError) as failed:
        a_transport(server.url).send(call)

    assert type(failed.value) is UnexpectedAnswer
    assert asked(server) == []


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("tls")
    key, pem = folder / "key.pem", folder / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-keyout", str(key), "-out", str(pem), "-days", "2", "-nodes",
         "-subj", "/CN=sage.example.test", "-addext", "subjectAltName=DNS:sage.example.test"],
        check=True,
        capture_output=True,
    )  # fmt: skip
    return pem, key


@pytest.fixture
def tls_server(certificate: tuple[Path, Path]) -> Iterator[StandInServer]:
    running = StandInServer(EchoWorld())
    running.start()
    httpd: Any = running._httpd
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*map(str, certificate))
    httpd.socket = context.wrap_socket(
        httpd.socket, server_side=True, do_handshake_on_connect=False
    )
    yield running
    running.stop()


def a_tls_call(server: StandInServer, host: str, pem: str) -> tuple[Transport, Call]:
    port = int(server.url.rpartition(":")[2])
    url = f"https://{host}:{port}"
    policy = AddressPolicy(practice_origins=frozenset({url}))
    transport = Transport(
        policy, resolver=lambda name, at: ["127.0.0.1"], read_attempts=1, wait=lambda _: None
    )
    call = Call(
        method="POST", url=url, deadline_seconds=5, is_write=True, ca_pem=pem, system="Sage 300"
    )
    return transport, call


def test_a_stored_authority_is_trusted_for_its_name(
    tls_server: StandInServer, certificate: tuple[Path, Path]
) -> None:
    transport, call = a_tls_call(tls_server, "sage.example.test", certificate[0].read_text())

    assert transport.send(call).status == 200


@pytest.mark.parametrize(("host", "has_pem"), [("sage.example.test", False), ("other.test", True)])
def test_a_certificate_not_trusted_stops_before_anything_is_sent(
    tls_server: StandInServer, certificate: tuple[Path, Path], host: str, has_pem: bool
) -> None:
    pem = certificate[0].read_text() if has_pem else ""
    transport, call = a_tls_call(tls_server, host, pem)

    with pytest.raises(Unreachable) as failed:
        transport.send(call)

    assert "could not prove who it is" in failed.value.sentence
    assert asked(tls_server) == []


def a_way(server: StandInServer, host: str, pem: str, now: datetime) -> list[Step]:
    port = int(server.url.rpartition(":")[2])
    policy = AddressPolicy(practice_origins=frozenset({f"https://{host}:{port}"}))
    dialer = Dialer(policy, connect_seconds=5, resolver=lambda name, at: ["127.0.0.1"])
    target = Target(scheme="https", host=host, port=port)
    return list(climb(Reach(dialer, target, system="Sage 300", ca_pem=pem, now=now).rungs()))


def test_the_ladder_tells_a_name_a_call_and_a_certificate_apart(
    tls_server: StandInServer, certificate: tuple[Path, Path]
) -> None:
    now = datetime.now(UTC)
    name, pem = "sage.example.test", certificate[0].read_text()

    well = a_way(tls_server, name, pem, now - timedelta(days=60))
    ending = a_way(tls_server, name, pem, now)
    refused = a_way(tls_server, name, "", now)

    assert [step.verdict for step in well] == [Verdict.OK] * 3
    assert well[2].answer.startswith("issued to sage.example.test, until ")
    assert "renew it" in ending[2].what_to_do
    assert (refused[1].verdict, refused[2].verdict) == (Verdict.OK, Verdict.FAILED)
    assert "could not prove who it is" in refused[2].what_to_do


def test_an_authority_that_is_none_is_said(server: StandInServer) -> None:
    call = a_read(server, ca_pem="not a certificate")

    with pytest.raises(AddressRefused) as refused:
        a_transport(server.url).send(call)

    assert "certificate authority cannot be read" in refused.value.sentence


def test_the_policy_mode_decides_about_private_addresses() -> None:
    call = Call(method="GET", url="https://sage.corp", deadline_seconds=1)
    strict = Transport(AddressPolicy(), resolver=lambda host, port: ["10.0.0.5"])

    with pytest.raises(AddressRefused):
        strict.send(call)

    assert PolicyMode("private-ok") is PolicyMode.PRIVATE_OK
