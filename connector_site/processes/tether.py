"""Start a program that the kernel kills when its parent dies.

Run as ``python -m connector_site.processes.tether PARENT_PID PROGRAM ...``. It asks the kernel for the signal
and then becomes the program, so no code runs between the fork of a threaded parent and the exec.
The guardian is the first belt and knows whole process groups; this one also covers the moment
before the guardian was told.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:
    """Tie this process to its parent, then become the program."""
    parent, program = int(arguments[1]), arguments[2:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit(1)  # It died before we could ask.
    os.execvp(program[0], program)  # noqa: S606 (our own words only)


if __name__ == "__main__":
    main(sys.argv)
