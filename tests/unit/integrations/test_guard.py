"""The address guard: 60 addresses under three policies, and what a name may resolve to."""

from ipaddress import ip_network

import pytest

from integrations.errors import AddressRefused
from integrations.guard import AddressPolicy, PolicyMode, origin_of

PRACTICE = "http://127.0.0.1:8101"

PUBLIC = AddressPolicy(
    practice_origins=frozenset({PRACTICE}),
    trusted_hosts=frozenset({"gateway.prod.bill.com"}),
    forbidden_hosts=frozenset({"connector.example.com", "203.0.114.9"}),
)
ALLOWLIST = AddressPolicy(
    mode=PolicyMode.ALLOWLIST,
    networks=(ip_network("10.1.0.0/16"), ip_network("2a00:1450::/32")),
    ports=frozenset({443, 8443}),
    practice_origins=frozenset({PRACTICE}),
    trusted_hosts=frozenset({"gateway.prod.bill.com"}),
    forbidden_hosts=frozenset({"connector.example.com", "203.0.114.9"}),
)
PRIVATE_OK = AddressPolicy(
    mode=PolicyMode.PRIVATE_OK,
    ports=frozenset({80, 443}),
    practice_origins=frozenset({PRACTICE}),
    forbidden_hosts=frozenset({"connector.example.com", "203.0.114.9"}),
    allow_http=True,
)
POLICIES = {"public": PUBLIC, "allowlist": ALLOWLIST, "private-ok": PRIVATE_OK}

EVERY = {"public", "allowlist", "private-ok"}
NONE: set[str] = set()

# address, what its name resolves to, the policies that allow it
ADDRESSES: list[tuple[str, list[str], set[str]]] = [
    # ordinary servers
    ("https://sage.example.com", ["93.184.216.34"], {"public", "private-ok"}),
    ("https://sage.example.com/Sage300WebApi", ["93.184.216.34"], {"public", "private-ok"}),
    ("https://SAGE.Example.COM./", ["93.184.216.34"], {"public", "private-ok"}),
    ("https://sage.example.com:443/", ["93.184.216.34"], {"public", "private-ok"}),
    ("https://sage.example.com", ["2a00:1450::1"], EVERY),
    ("https://bücher.example", ["93.184.216.34"], {"public", "private-ok"}),
    ("https://gateway.prod.bill.com/connect", ["93.184.216.34"], EVERY),
    ("https://gateway.prod.bill.com/connect", ["10.2.3.4"], {"private-ok"}),
    ("https://sage.example.com", ["93.184.216.34", "2a00:1450::1"], {"public", "private-ok"}),
    # inside the customer's network
    ("https://sage.corp", ["10.1.2.3"], {"allowlist", "private-ok"}),
    ("https://10.1.2.3", ["10.1.2.3"], {"allowlist", "private-ok"}),
    ("https://10.2.3.4", ["10.2.3.4"], {"private-ok"}),
    ("https://192.168.1.20", ["192.168.1.20"], {"private-ok"}),
    ("https://172.16.0.5", ["172.16.0.5"], {"private-ok"}),
    ("https://[fd12:3456::1]", ["fd12:3456::1"], {"private-ok"}),
    ("https://cgnat.example", ["100.64.0.1"], {"private-ok"}),
    ("http://sage.corp", ["10.1.2.3"], {"private-ok"}),
    ("http://sage.example.com", ["93.184.216.34"], {"private-ok"}),
    ("https://sage.corp:8443", ["10.1.2.3"], {"allowlist"}),
    # a name with one bad answer among good ones
    ("https://two.example", ["93.184.216.34", "127.0.0.1"], NONE),
    ("https://two.example", ["93.184.216.34", "10.2.3.4"], {"private-ok"}),
    ("https://two.example", ["10.1.2.3", "169.254.169.254"], NONE),
    # this machine, in every spelling
    ("https://localhost", ["127.0.0.1"], NONE),
    ("https://127.0.0.1", ["127.0.0.1"], NONE),
    ("https://127.1", ["127.0.0.1"], NONE),
    ("https://0x7f.1", ["127.0.0.1"], NONE),
    ("https://2130706433", ["127.0.0.1"], NONE),
    ("https://0177.0.0.1", ["127.0.0.1"], NONE),
    ("https://0.0.0.0", ["0.0.0.0"], NONE),
    ("https://[::]", ["::"], NONE),
    ("https://[::1]", ["::1"], NONE),
    ("https://[::ffff:127.0.0.1]", ["::ffff:127.0.0.1"], NONE),
    ("https://[::7f00:1]", ["::7f00:1"], NONE),
    ("https://[2002:7f00:1::]", ["2002:7f00:1::"], NONE),
    ("https://[64:ff9b::7f00:1]", ["64:ff9b::7f00:1"], NONE),
    ("https://127.0.0.1.nip.io", ["127.0.0.1"], NONE),
    ("https://app.localtest.me", ["127.0.0.1"], NONE),
    # the cloud's credential services and the local link
    ("https://169.254.169.254", ["169.254.169.254"], NONE),
    ("https://169-254-169-254.nip.io", ["169.254.169.254"], NONE),
    ("https://[::ffff:169.254.169.254]", ["::ffff:169.254.169.254"], NONE),
    ("https://[fd00:ec2::254]", ["fd00:ec2::254"], NONE),
    ("https://100.100.100.200", ["100.100.100.200"], NONE),
    ("https://168.63.129.16", ["168.63.129.16"], NONE),
    ("https://[fe80::1]", ["fe80::1"], NONE),
    ("https://link.example", ["fe80::1%eth0"], NONE),
    ("https://multicast.example", ["224.0.0.1"], NONE),
    ("https://broadcast.example", ["255.255.255.255"], NONE),
    # ourselves
    ("https://connector.example.com", ["93.184.216.34"], NONE),
    ("https://alias.example.com", ["203.0.114.9"], NONE),
    # practice: this exact origin and no other
    (PRACTICE, ["127.0.0.1"], EVERY),
    (f"{PRACTICE}/Sage300WebApi", ["127.0.0.1"], EVERY),
    (PRACTICE, ["169.254.169.254"], NONE),
    ("http://127.0.0.1:8102", ["127.0.0.1"], NONE),
    ("https://127.0.0.1:8101", ["127.0.0.1"], NONE),
    ("http://localhost:8101", ["127.0.0.1"], NONE),
    # wrong doors
    ("https://sage.example.com:22", ["93.184.216.34"], NONE),
    ("https://sage.example.com:0", ["93.184.216.34"], NONE),
    ("https://sage.example.com:70000", ["93.184.216.34"], NONE),
    ("ftp://sage.example.com", ["93.184.216.34"], NONE),
    ("file:///etc/passwd", ["93.184.216.34"], NONE),
    ("gopher://sage.example.com", ["93.184.216.34"], NONE),
    # tricks of writing
    ("https://user:secret@sage.example.com", ["93.184.216.34"], NONE),
    ("https://sage.example.com@127.0.0.1", ["127.0.0.1"], NONE),
    ("https://@sage.example.com", ["93.184.216.34"], NONE),
    ("https://sage.example.com\\@127.0.0.1", ["93.184.216.34"], NONE),
    ("https://sage.example.com#@127.0.0.1", ["93.184.216.34"], NONE),
    ("https://sage.example.com?x=1", ["93.184.216.34"], NONE),
    ("https://sage.example.com /", ["93.184.216.34"], NONE),
    ("https://sage\t.example.com", ["93.184.216.34"], NONE),
    ("https://sage..example.com", ["93.184.216.34"], NONE),
    ("https://-sage.example.com", ["93.184.216.34"], NONE),
    ("https://[::1", ["::1"], NONE),
    ("https://", ["93.184.216.34"], NONE),
    ("sage.example.com", ["93.184.216.34"], NONE),
    ("", ["93.184.216.34"], NONE),
]


@pytest.mark.parametrize("policy_name", sorted(POLICIES))
def test_an_address_is_allowed_only_where_the_policy_says(policy_name: str) -> None:
    allowed = [
        (url, answers)
        for url, answers, _ in ADDRESSES
        if _is_allowed(POLICIES[policy_name], url, answers)
    ]

    assert allowed == [(url, answers) for url, answers, by in ADDRESSES if policy_name in by]


def _is_allowed(policy: AddressPolicy, url: str, answers: list[str]) -> bool:
    try:
        target = policy.check_url(url, is_base=True)
        return policy.check_answers(target, answers) == tuple(answers)
    except AddressRefused:
        return False


def test_a_call_may_carry_a_query_that_a_typed_address_may_not() -> None:
    url = "https://sage.example.com/Sage300WebApi?$top=1"

    target = PUBLIC.check_url(url)

    assert target.origin == "https://sage.example.com:443"
    with pytest.raises(AddressRefused):
        PUBLIC.check_url(url, is_base=True)


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://Sage.Example.com", "https://sage.example.com:443"),
        ("http://127.0.0.1:8101/", "http://127.0.0.1:8101"),
        ("http://[::1]:8101/x", "http://[::1]:8101"),
    ],
)
def test_an_origin_has_one_spelling(url: str, origin: str) -> None:
    assert origin_of(url) == origin


def test_a_refusal_says_what_to_do() -> None:
    with pytest.raises(AddressRefused) as refused:
        PUBLIC.check_url("http://sage.example.com")

    assert "Use the https:// address" in refused.value.sentence
