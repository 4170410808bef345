"""A quick check that a server can be reached."""

import threading
import urllib.error
import urllib.request


def reachable(url: str, timeout: float = 5.0) -> bool:
    """Returns whether anything answers at `url` within about `timeout` seconds; an error page counts too."""
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
