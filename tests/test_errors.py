"""What is shown of an error that others raised."""

import pytest

from infogan_tf.errors import first_line


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (OSError("disk full\nat 0x7f"), "disk full"),
        (ValueError("\n  \n  bad header  \nmore"), "bad header"),
        (MemoryError(), "MemoryError"),  # many are raised without a word
    ],
)
def test_the_first_line_of_an_error_is_never_empty(error, line):
    assert first_line(error) == line
