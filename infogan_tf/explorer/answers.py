"""What a request is answered with, and by what."""

import dataclasses
import json
from collections.abc import Callable, Mapping


@dataclasses.dataclass(frozen=True)
class Response:
    """What a request is answered with."""

    status: int
    body: bytes
    content_type: str = "application/json"
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict)

    @classmethod
    def of(cls, value: object, status: int = 200) -> "Response":
        """A value as JSON; NaN and infinities are written as TF Serving and JavaScript do."""
        return cls(status, json.dumps(value).encode())

    @classmethod
    def error(cls, status: int, message: str) -> "Response":
        """TF Serving's form of an error."""
        return cls.of({"error": message}, status)


# Method (GET or POST), path without its query, body.
Answer = Callable[[str, str, bytes], Response]

# Method and path of a request that needs neither its body nor any work; None for one that needs them.
AtOnce = Callable[[str, str], Response | None]
