"""What planning reads of a dispersion."""

from bot.domain.readings import DispersionReading, Signal


def read_signal(reading: DispersionReading) -> Signal:
    """Return the signal of a reading; an episode that an UNDEFINED state interrupts keeps its peak and its first day.

    Source: docs/methodology.md, M1.
    """
    episode = reading.episode
    return Signal(
        state=reading.state,
        why=reading.why,
        spread=reading.spread,
        baseline=reading.baseline,
        excess=reading.excess,
        peak_excess=0.0 if episode is None else episode.peak_excess,
        episode_began_on=None if episode is None else episode.began_on,
    )
