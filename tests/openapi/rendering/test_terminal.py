"""Output for a terminal."""

from openapi.rendering.terminal import printable


def test_output_has_no_control_characters() -> None:
    """Control characters become escapes; other characters stay."""
    assert printable("é\x1b[31m\n\u202e\U000e0001") == r"é\x1b[31m\n\u202e\U000e0001"
