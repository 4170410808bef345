"""Which versions of packages are installed, for what is written beside results."""

import importlib.metadata
import platform


def installed_versions(packages: tuple[str, ...]) -> dict[str, str]:
    """The version of each package, or "not installed", and that of Python."""

    def version(package):
        try:
            return importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            return "not installed"

    return {package: version(package) for package in packages} | {"python": platform.python_version()}
