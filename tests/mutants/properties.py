"""What hypothesis does in a child: the same examples every time, and no search for a smaller one that fails too."""

from hypothesis import Phase, given, settings
from hypothesis import strategies as st


def load_profile() -> None:
    """Make that the default of all properties that are collected from now on."""
    settings.register_profile(
        "mutants",
        settings.get_profile("suite"),
        derandomize=True,
        database=None,
        phases=(Phase.explicit, Phase.generate),
    )
    settings.load_profile("mutants")


def warm_up() -> None:
    """Let hypothesis read its tables and the constants of the sources here, once, and not in every child."""

    @settings(max_examples=5)
    @given(st.tuples(st.integers(), st.floats(), st.text(), st.lists(st.decimals())))
    def anything(_: object) -> None:
        """Nothing of the project runs here."""

    anything()
