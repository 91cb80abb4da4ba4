"""Builds the image of a placement, and prints its tag: a program that trim runs with a project.

python -m harness.trim.image SPEC
"""

import sys

from harness.footprint.measure import image_of


def _say(line: str) -> None:
    print(line, file=sys.stderr)


if __name__ == "__main__":
    print(image_of(sys.argv[1], _say)[0])
