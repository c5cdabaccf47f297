"""Make #123 a link to the issue, wherever it is said; what is stored stays as it was.

`--issues URL` says where they are, the number follows it.
"""

import re

from pi.extensions import MarkdownContext, Pi

CODE = re.compile(r"(```.*?(?:```|\Z)|`[^`\n]*`|\[[^\]\n]*\]\([^)\n]*\)|https?://\S+)", re.DOTALL)
NUMBER = re.compile(r"(?<![\w#&/])#(\d+)\b")


def extend(pi: Pi) -> None:
    issues = pi.flag(
        "issues",
        "Where issues are: the number follows it",
        kind="string",
        default="https://github.com/acme/app/issues/",
    )

    @pi.markdown_transformer(message_types=["user", "assistant", "summary", "changelog"])
    def links(text: str, context: MarkdownContext) -> str:
        if "#" not in text:
            return text
        parts = CODE.split(text)  # every second one is code or a link already
        for at in range(0, len(parts), 2):
            parts[at] = NUMBER.sub(rf"[#\1]({issues()}\1)", parts[at])
        return "".join(parts)
