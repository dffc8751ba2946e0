"""What the doctor says of the Redis of REDIS_URL; the Redis is a real one."""

from pathlib import Path

import pytest

from tests.certificates import write_certificate
from tests.environ import settings
from tests.processes import free_port
from tests.redis_server import RedisServer
from token_server.cli.doctor.checks import Finding
from token_server.cli.doctor.redis_ping import check_redis, ping
from token_server.cli.silence import Silence

NOT_LET_IN = "it refuses the user or password of REDIS_URL"
SECRETS = ("of-the-owner", "somebody", "not-that-one")


def test_a_certificate_that_nobody_signed_is_a_cause_of_its_own(tmp_path: Path) -> None:
    """It is mended by a setting, and not by looking for a Redis that runs."""
    certificate = write_certificate(tmp_path / "redis.pem")
    with RedisServer(tmp_path, password="of-the-owner", certificate=certificate) as redis:
        urls = [settings(REDIS_URL=redis.url, REDIS_TLS_VERIFY=verify).redis_url for verify in "10"]
        checks = [check_redis(url, ping(url), is_server_ready=False) for url in urls]
        elsewhere = check_redis(urls[0], ping(urls[0]), is_server_ready=True)

    assert [(Finding.WRONG, "redis-certificate"), (Finding.OK, None)] == [
        (check.finding, check.cause) for check in checks
    ]
    assert "REDIS_TLS_VERIFY=0" in checks[0].cure
    assert "self-signed certificate" in checks[0].evidence[0]
    assert (Finding.UNKNOWN, "redis-certificate") == (elsewhere.finding, elsewhere.cause)
    assert not any(secret in str([*checks, elsewhere]) for secret in SECRETS)


@pytest.mark.parametrize(
    ("address", "evidence", "cure"),
    [
        ("redis://somebody:not-that-one@127.0.0.1:{port}", NOT_LET_IN, "Set the user"),
        ("redis://:not-that-one@127.0.0.1:{port}", NOT_LET_IN, "Set the user"),
        ("unix://:not-that-one@{socket}", NOT_LET_IN, "Set the user"),
        ("redis://:not-that-one@127.0.0.1:{nothing}", Silence.REFUSED.value, "Start Redis"),
        ("redis://no-such-host.invalid", Silence.UNKNOWN_HOST.value, "Correct the host"),
    ],
    ids=["user", "password", "socket", "nothing there", "nobody knows it"],
)
def test_a_redis_that_does_not_let_us_in_is_told_from_one_that_is_not_there(
    tmp_path: Path, address: str, evidence: str, cure: str
) -> None:
    """Without a word of what is secret in the URL."""
    with RedisServer(tmp_path, password="of-the-owner") as redis:
        url = address.format(port=redis.port, socket=redis.socket, nothing=free_port())
        check = check_redis(url, ping(url), is_server_ready=False)

    assert ("redis", (evidence,)) == (check.cause, check.evidence)
    assert check.cure.startswith(cure)
    assert not any(secret in str(check) for secret in SECRETS)
