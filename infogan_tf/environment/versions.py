"""Which versions of packages are installed, for what is written beside results."""

import importlib.metadata
import platform

from infogan_tf import __version__


def installed_versions(packages: tuple[str, ...]) -> dict[str, str]:
    """The versions of this package, of each of `packages`, or "not installed", and of Python."""

    def version(package):
        try:
            return importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            return "not installed"

    others = {package: version(package) for package in packages}
    return {"infogan_tf": __version__, **others, "python": platform.python_version()}
