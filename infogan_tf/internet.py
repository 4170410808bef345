"""Whether there is a network, asked in seconds."""

import threading
import urllib.error
import urllib.request


def reachable(url: str, timeout: float = 5.0) -> bool:
    """Whether anything answers at `url` within `timeout` seconds; any answer will do, an error page too."""
    answers = []

    def ask():
        try:
            urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=timeout)
        except urllib.error.HTTPError:
            pass
        except OSError:
            return
        answers.append(True)

    # In a thread, because the timeout does not cover the look-up of the host's name.
    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(timeout + 1.0)
    return bool(answers)
