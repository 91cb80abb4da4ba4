"""Words of messages that depend on a number."""


def counted(number: int, noun: str, nouns: str = "") -> str:
    """The number and its noun, e.g. "1 difference", "2 differences", "3 entries".

    ``nouns`` is the plural; without it, an s is added.
    """
    return f"{number} {noun if number == 1 else nouns or f'{noun}s'}"
