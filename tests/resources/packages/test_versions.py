from itertools import pairwise

import pytest

from pi.resources.packages.versions import allows, newer_release

ORDER = [
    "0.9",
    "1.0.dev1",
    "1.0a1.dev2",
    "1.0a1",
    "1.0b2",
    "1.0rc1",
    "1.0",
    "1.0.post1",
    "1.0.1",
    "1.10",
]


def test_order() -> None:
    for one, other in pairwise(ORDER):
        assert newer_release(other, one), (one, other)
        assert not newer_release(one, other), (one, other)
    assert not newer_release("v1.0.0", "1")
    assert newer_release("1!0.1", "2.0")
    assert newer_release("strange", "1.0")
    assert not newer_release("strange", "strange")


@pytest.mark.parametrize(
    ("limits", "version", "expected"),
    [
        ("", "1.0", True),
        ("==1.0", "1.0.0", True),
        ("== 1.0", "1.1", False),
        ("===1.0", "1.0.0", False),
        ("==1.*", "1.9.2", True),
        ("==1.*", "10.0", False),
        ("!=1.2.*", "1.2.3", False),
        ("!=1.2", "1.3", True),
        ("~=1.4", "1.9", True),
        ("~=1.4", "2.0", False),
        ("~=1.4.2", "1.4.9", True),
        ("~=1.4.2", "1.5", False),
        (">=1.2,<2", "1.10", True),
        (">=1.2,<2", "2.0", False),
        (">=1.2,<2", "1.1", False),
        (">1.0", "1.0", False),
        ("<=1.0", "1.0", True),
        ("==next", "1.0", True),
        (">=1.0", "strange", True),
        (">=1.0", "2.0rc1", True),
        ("<3", "1!1.0", False),
    ],
)
def test_limits(limits: str, version: str, expected: bool) -> None:
    assert allows(limits, version) is expected
