import array

from agent.parrot import greeting_pcm


def test_the_greeting_is_audible_short_and_starts_and_ends_softly() -> None:
    """It is the first sound of every call: no click, no wait, no shout."""
    samples = array.array("h", greeting_pcm(24_000))

    loudest, edges = max(map(abs, samples)), (samples[0], abs(samples[-1]) < 100)
    assert (True, True, (0, True)) == (len(samples) < 12_000, 2_000 < loudest < 16_000, edges)
