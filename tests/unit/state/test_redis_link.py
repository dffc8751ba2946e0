"""Redis saves work and decides nothing: nobody waits for it, and the log says so once."""

import logging
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.certificates import write_certificate
from tests.environ import settings
from tests.machines import Machines
from tests.processes import free_port, wait_until
from tests.redis_server import RedisServer
from token_server.errors import RedisUnavailableError, RedisUntrustedError
from token_server.state.redis_link import REDIS_TIMEOUT, RedisLink

SILENT = "Redis does not answer: agents are sent as ever, and each machine locks for itself"
OURS = {"token_server.state.redis_link"}
BACK = "Redis answers again"


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis that this test may kill."""
    with RedisServer(tmp_path) as running:
        yield running


def answers(link: RedisLink) -> bool:
    """Whether Redis answers a question."""
    try:
        return bool(link.ask(lambda redis: redis.ping()))
    except RedisUnavailableError:
        return False


def answers_again(link: RedisLink) -> bool:
    """Whether it does, after another try."""
    link.try_again()
    return answers(link)


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what our own lines of the log say."""
    return [record.getMessage() for record in caplog.records if record.name in OURS]


def test_a_redis_that_comes_and_goes_is_told_once_each(
    tmp_path: Path, mortal: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    """A line for each lock would bury everything else."""
    caplog.set_level(logging.INFO)
    with Machines(tmp_path, mortal.url) as machines:
        link = machines.link("a")
        before = answers(link)
        mortal.kill()
        during = [answers_again(link) for _ in range(5)]
        mortal.start()
        after = [answers_again(link) for _ in range(5)]

    assert (True, [False] * 5, [True] * 5) == (before, during, after)
    assert [SILENT, BACK] == said(caplog)


def test_the_operators_metric_follows_it(tmp_path: Path, mortal: RedisServer) -> None:
    """An alert needs no log."""
    told: list[float] = []
    with Machines(tmp_path, mortal.url) as machines:
        link = machines.link("a", tell=told.append)
        answers(link)
        mortal.kill()
        during = [answers_again(link) for _ in range(3)]
        mortal.start()
        after = answers_again(link)

    assert ([False] * 3, True, [1, 0]) == (during, after, told)


def test_a_redis_that_is_not_there_at_the_start_is_used_later(
    tmp_path: Path, mortal: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    """The two may start in any order."""
    mortal.kill()
    with Machines(tmp_path, mortal.url) as machines:
        link = machines.link("a")
        before = answers(link)
        mortal.start()
        after = answers_again(link)

    assert (False, True, [SILENT]) == (before, after, said(caplog))


def test_one_process_of_a_machine_speaks_for_all(
    tmp_path: Path, mortal: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    """WEB_CONCURRENCY=8 is not to write eight lines; another machine's log is another log."""
    caplog.set_level(logging.INFO)
    with Machines(tmp_path, mortal.url) as machines:
        links = [machines.link(machine) for machine in ("a", "a", "b")]
        mortal.kill()
        during = [answers(link) for link in links]
        mortal.start()
        after = [answers_again(link) for link in links]

    assert ([False] * 3, [True] * 3) == (during, after)
    assert [SILENT, SILENT, BACK, BACK] == said(caplog)


def test_without_the_folder_everybody_speaks(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Better twice than never."""
    with Machines(tmp_path, f"redis://127.0.0.1:{free_port()}") as machines:
        link = machines.link("a")
        (tmp_path / "a").rmdir()
        (tmp_path / "a").touch()

        assert not answers(link)
    assert [SILENT] == said(caplog)


def test_a_redis_that_hangs_is_waited_for_once(tmp_path: Path, mortal: RedisServer) -> None:
    """A network that swallows packets is worse than one that refuses."""
    with Machines(tmp_path, mortal.url) as machines:
        link = machines.link("a", try_again_after=60)
        answers(link)
        mortal.freeze()
        asked_at = time.monotonic()
        found = [answers_again(link) for _ in range(100)]
        took = time.monotonic() - asked_at
        mortal.thaw()

    assert ([False] * 100, True) == (found, REDIS_TIMEOUT <= took < 2 * REDIS_TIMEOUT)


def test_a_connection_that_redis_has_closed_is_no_silence(
    tmp_path: Path, mortal: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    """Redis closes what is idle for long, where it is so configured."""
    with Machines(tmp_path, mortal.url) as machines:
        link = machines.link("a")
        before = answers(link)
        mortal.client.client_kill_filter(_type="normal", skipme=True)
        after = answers(link)

    assert (True, True, []) == (before, after, said(caplog))


def test_a_password_does_not_show(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Nor one that Redis refuses, whatever its answer repeats."""
    caplog.set_level(logging.DEBUG)
    with RedisServer(tmp_path, password="the-right-one") as redis:
        wrong = redis.url.replace("the-right-one", "the%2Dwrong%2Done")
        with Machines(tmp_path, wrong) as machines:
            found = answers(machines.link("a"))
        with Machines(tmp_path, redis.url) as machines:
            found_with_right = answers(machines.link("b"))

    everything = "".join(str(record.__dict__) for record in caplog.records)
    assert (False, True, [SILENT]) == (found, found_with_right, said(caplog))
    assert ("AuthenticationError" in everything, "-one" in everything) == (True, False)


def test_a_socket_file_is_an_address_too(tmp_path: Path, mortal: RedisServer) -> None:
    """Where Redis is on the same machine."""
    url = f"unix://{mortal.folder}/{mortal.port}.sock?db=1"
    with Machines(tmp_path, url) as machines:
        assert answers(machines.link("a"))


def test_tls_files_that_are_not_there_are_a_silence(
    tmp_path: Path, mortal: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    """Only the connection looks at them, and a look is not to fail for it."""
    url = f"rediss://127.0.0.1:{mortal.port}?ssl_ca_certs=/nowhere/ca.pem"
    with Machines(tmp_path, url) as machines:
        found = [answers_again(machines.link("a")) for _ in range(2)]

    assert ([False] * 2, True) == (found, "No such file" in str(caplog.records[0].__dict__))


def test_a_certificate_that_nobody_signed_is_told_by_the_setting(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Heroku's add-on owns its URL: "does not answer" leaves its operator with nothing to do."""
    certificate = write_certificate(tmp_path / "redis.pem")
    with RedisServer(tmp_path, password="of-the-owner", certificate=certificate) as redis:
        as_given = settings(REDIS_URL=redis.url).redis_url
        with Machines(tmp_path, as_given) as machines:
            link = machines.link("a")
            found = [answers_again(link) for _ in range(3)]
            with pytest.raises(RedisUntrustedError) as refused:
                link.ask(lambda redis: redis.ping())
        with Machines(tmp_path, f"{as_given}?ssl_ca_certs={certificate}") as machines:
            found.append(answers(machines.link("b")))
        unverified = settings(REDIS_URL=redis.url, REDIS_TLS_VERIFY="0").redis_url
        with Machines(tmp_path, unverified) as machines:
            found.append(answers(machines.link("c")))

    (line,) = said(caplog)
    text = "Redis' certificate is refused (self-signed certificate): set REDIS_TLS_VERIFY=0 to go"
    assert ([False] * 3 + [True] * 2, True) == (found, str(refused.value).startswith(text))
    assert (True, True) == (line.startswith(text), line.endswith("each machine locks for itself"))
    assert "of-the-owner" not in "".join(str(record.__dict__) for record in caplog.records)


def test_a_redis_that_comes_back_with_another_certificate_is_told_of_then(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Its first silence has another cause, and the setting mends only the second."""
    certificate = write_certificate(tmp_path / "redis.pem")
    with RedisServer(tmp_path, certificate=certificate) as redis:
        redis.kill()
        with Machines(tmp_path, redis.url) as machines:
            link = machines.link("a")
            found = [answers(link)]
            redis.start()
            found += [answers_again(link) for _ in range(3)]

    first, second = said(caplog)
    assert ([False] * 4, SILENT, True) == (found, first, "REDIS_TLS_VERIFY=0" in second)


def test_many_threads_find_out_at_once_and_one_line_says_so(
    tmp_path: Path, mortal: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    """Four looks are under way when Redis dies."""
    with Machines(tmp_path, mortal.url) as machines, ThreadPoolExecutor(8) as threads:
        link = machines.link("a", try_again_after=60)
        mortal.freeze()
        found = list(threads.map(lambda _: answers(link), range(8)))
        mortal.thaw()

    assert ([False] * 8, [SILENT]) == (found, said(caplog))
    wait_until(mortal.client.ping, within=5, what="Redis is back")
