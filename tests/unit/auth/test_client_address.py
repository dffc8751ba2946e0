"""Which client a request comes from."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from token_server.auth.client_address import NO_ADDRESS, client_of, end_user_of

PROXY = "10.0.0.1"


@pytest.mark.parametrize(
    ("written", "stands_for"),
    [
        ("192.0.2.1", "192.0.2.1"),
        (" 192.0.2.1\t", "192.0.2.1"),
        ("192.0.2.1:5555", "192.0.2.1"),
        ("192.0.2.1:", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("::ffff:c000:201", "192.0.2.1"),
        ("[::ffff:192.0.2.1]:443", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:DB8:1:2::1", "2001:db8:1:2::/64"),
        ("[2001:db8:1:2::1]", "2001:db8:1:2::/64"),
        ("[2001:db8:1:2::1]:443", "2001:db8:1:2::/64"),
        ("[2001:db8:1:2::1%eth0]:443", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("fe80::1%a/b", "fe80::/64"),
        ("fe80::1%", "fe80::/64"),
        ("unknown", NO_ADDRESS),
        ("_hidden", NO_ADDRESS),
        ("_hidden:5555", NO_ADDRESS),
        ("1.2.3", NO_ADDRESS),
        ("1.2.3.4.5", NO_ADDRESS),
        ("192.0.2.0/24", NO_ADDRESS),
        ("1.2.3.4:5:6", NO_ADDRESS),
        ("[1.2.3.4", "1.2.3.4"),
        ("[", NO_ADDRESS),
        ("[]", NO_ADDRESS),
        ("%eth0", NO_ADDRESS),
        ("\xb2.2.2.2", NO_ADDRESS),
        ("unix:", NO_ADDRESS),
        ("", NO_ADDRESS),
    ],
)
def test_an_address_stands_for_one_client(written: str, stands_for: str) -> None:
    """However it is written, by a proxy or by the operating system."""
    assert [stands_for] * 3 == [
        client_of(written, "", 0),
        client_of(PROXY, f"203.0.113.9, {written}", 1),
        client_of(PROXY, f"203.0.113.9,{written} , 10.0.0.2", 2),
    ]


@pytest.mark.parametrize(
    ("forwarded_for", "trusted_proxies", "stands_for"),
    [
        pytest.param("192.0.2.1", 0, PROXY, id="no proxy is ours"),
        pytest.param("", 1, PROXY, id="no header"),
        pytest.param("192.0.2.1", 2, PROXY, id="only one of two proxies"),
        pytest.param("192.0.2.1", 8, PROXY, id="only one of eight"),
        pytest.param("a, b, 192.0.2.1, c", 2, "192.0.2.1", id="the last but one"),
        pytest.param('"a, 192.0.2.1', 1, "192.0.2.1", id="a quotation without an end"),
        pytest.param("a\\, 192.0.2.1", 1, "192.0.2.1", id="a comma that is escaped"),
        pytest.param("192.0.2.1, ", 1, NO_ADDRESS, id="an empty last entry"),
        pytest.param(",", 2, NO_ADDRESS, id="empty entries"),
    ],
)
def test_the_entry_of_the_outermost_proxy_of_ours_counts(
    forwarded_for: str, trusted_proxies: int, stands_for: str
) -> None:
    """Whoever asks writes what stands before it."""
    assert stands_for == client_of(PROXY, forwarded_for, trusted_proxies)


HEADERS = st.text(st.characters(max_codepoint=0xFF)) | st.lists(
    st.sampled_from([":", "[", "]", "%", "/", '"', ",", " ", "::1", "1.2.3.4", "unknown", "\0"])
).map("".join)


@given(HEADERS, HEADERS, HEADERS, st.integers(1, 8))
def test_what_a_caller_writes_changes_nothing(
    one: str, other: str, address: str, proxies: int
) -> None:
    """Two requests whose last entries are the proxies' are one client's."""
    last = ",".join([address.replace(",", ""), *["10.0.0.9"] * (proxies - 1)])

    found = {client_of(PROXY, f"{invented},{last}", proxies) for invented in (one, other)}

    (client,) = found
    assert client == NO_ADDRESS or ipaddress.ip_network(client).prefixlen in {32, 64}


def test_end_users_are_told_apart_by_their_last_letter_too() -> None:
    """As gunicorn hands a header of UTF-8 on; "" and blanks name nobody."""
    told = [name.encode().decode("latin-1") for name in (" Mara", "Marà ", "MarÅ", "\t", "")]

    first, second, third, *nobody = map(end_user_of, told)

    assert 3 == len({first, second, third})
    assert ["", ""] == nobody
