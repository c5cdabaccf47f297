"""How a script is drawn."""

from typing import Any

from pi.builtin.codemode.drawing import draw_result, draw_script
from pi.runtime.looks import Drawing


class Plain:
    depth = "none"

    def fg(self, color: str, text: str) -> str:
        return text

    def bold(self, text: str) -> str:
        return text


def drawn(code: Any, **fields: Any) -> list[str]:
    drawing = Drawing(width=20, key_text=lambda action: "ctrl+o", **fields)
    return draw_script({"code": code}, drawing, Plain())


def test_short_ones_are_shown_whole() -> None:
    assert drawn("a\n  b\n") == ["codemode", "  a", "    b"]
    assert len(drawn("\n".join("123456789"))) == 10
    assert drawn(None) == ["codemode"]


def test_of_long_ones_the_beginning() -> None:
    code = "\n".join(map(str, range(20)))
    assert drawn(code)[-2:] == ["  7", "  … 12 more lines (ctrl+o)"]
    assert len(drawn(code, expanded=True)) == 21


def test_lines_are_cut_and_harmless() -> None:
    assert drawn("x" * 30 + "\n\x1b[2Jy") == ["codemode", "  " + "x" * 17 + "…", "  y"]


CALLS = [
    {"name": "bash", "args": '{"command":"ls"}', "status": "ok", "durationMs": 2100},
    {"name": "read", "args": '{"path":"a","limit":2}', "status": "error", "error": "no\nfile"},
    {"name": "models.classify", "args": "p/m", "status": "ok", "durationMs": 3, "cost": 0.000042},
    {"name": "models.classify", "args": "p/m", "status": "ok", "durationMs": 3, "cost": 0.5},
    {"name": "write", "args": '{"path":"cut o', "status": "cancelled"},
]
HEAD = {"type": "text", "text": "Script completed\nWall time 1.0 seconds\nOutput:\n"}


def result(text: str = "", calls: Any = CALLS, **fields: Any) -> list[str]:
    drawing = Drawing(width=40, key_text=lambda action: "ctrl+o", **fields)
    content = [HEAD, *([{"type": "text", "text": text}] if text else [])]
    return draw_result({"content": content, "details": {"calls": calls}}, drawing, Plain())


def test_calls_have_a_row_each() -> None:
    assert result() == [
        "✓ bash ls 2.1 s",
        "✗ read path=a limit=2 no file",
        "✓ models.classify p/m $0.000042",
        "✓ models.classify p/m $0.50",
        '■ write {"path":"cut o',
        "models: $0.50",
    ]
    assert result(expanded=True)[1:4] == ["✗ read path=a limit=2", "  no", "  file"]


def test_of_many_calls_the_last() -> None:
    many = [{"name": "read", "args": f'{{"path":"{n}"}}', "status": "running"} for n in range(20)]
    assert result(calls=many)[:2] == ["… 12 earlier calls (ctrl+o)", "● read 12"]
    assert len(result(calls=many)) == 9
    assert len(result(calls=many, expanded=True)) == 20


def test_output_comes_when_it_is_whole() -> None:
    text = "\n".join("123456789")
    assert result(text, (), partial=True) == []
    assert result(text, ()) == ["1", "2", "3", "4", "5", "… 4 more lines (ctrl+o)"]
    assert result("x" * 90, ()) == ["x" * 40, "x" * 40, "x" * 10]
    assert result("\x1b[2Jx", [{}, "odd"], expanded=True) == ["○ ", "x"]
    assert result(calls=None) == []
