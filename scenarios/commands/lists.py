"""Lists on the command line: several policies, or several values, in one option.

Policies are separated by commas, parameters too: what has a name before its ``=`` belongs to the policy before it
(``fixed:codec=snr07-cbr12,snr-table:margin_db=2,hysteresis_db=0``: two policies), so nothing has to be quoted. An option
may also be repeated.
"""

from collections.abc import Sequence

from ...bus.errors import BadInput
from .options import split_policy


def split_policies(text: str) -> list[str]:
    """``"a:x=1,y=2,b"`` -> ``["a:x=1,y=2", "b"]``.

    Raises:
        BadInput: A list that begins with a parameter, or has an empty place.
    """
    found: list[str] = []
    for piece in (piece.strip() for piece in text.split(",")):
        before, equals, _ = piece.partition("=")
        if equals and ":" not in before:
            if not found:
                raise BadInput(f"policies {text!r}: {piece!r} is a parameter of no policy", "write name:parameter=value,name,...")
            found[-1] += f",{piece}"
        elif not piece:
            raise BadInput(f"policies {text!r}: there is nothing between two commas", "write name:parameter=value,name,...")
        else:
            found.append(piece)
    return found


def split_values(text: str) -> list[str]:
    """``'1,2,[3,4],"a,b"'`` -> ``['1', '2', '[3,4]', '"a,b"']``: commas inside brackets and quotes stay."""
    found, depth, quote = [""], 0, ""
    for letter in text:
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "\"'":
            quote = letter
        else:
            depth += (letter in "[{") - (letter in "]}")
        if letter == "," and not quote and not depth:
            found.append("")
        else:
            found[-1] += letter
    return [value.strip() for value in found]


def by_kind(options: Sequence[str]) -> dict[str, list[str]]:
    """All ``--policy KIND=A,B`` options: kind -> its policies, in the order given.

    Raises:
        BadInput: See `split_policies` and `options.split_policy`.
    """
    found: dict[str, list[str]] = {}
    for option in options:
        kind, text = split_policy(option)
        found.setdefault(kind, []).extend(split_policies(text))
    return found
