"""Messages of your own in the conversation, and how the terminal draws them.

`/note TEXT` leaves a note that the model sees with the next prompt; `/card TITLE` shows a card that
it never sees.
"""

from typing import Any

from pi.extensions import CommandContext, Pi


def extend(pi: Pi) -> None:
    @pi.command("note", "Leave a note for the model")
    def note(text: str, ctx: CommandContext) -> None:
        pi.send_message(
            {
                "customType": "note",
                "content": f"A note of the user's: {text}",
                "display": True,
                "details": {"text": text, "words": len(text.split())},
            },
            deliver_as="nextTurn" if ctx.is_idle else "steer",
        )
        ctx.ui.notify("It goes with the next prompt")

    @pi.command("card", "Show a card that only you see")
    def card(title: str, ctx: CommandContext) -> None:
        pi.append_entry("card", {"title": title or "A card"})

    @pi.message_renderer("note")
    def draw_note(message: dict[str, Any], options: Any, theme: Any) -> list[str]:
        details = message["details"]
        lines = [f"{theme.fg('accent', 'note')} {details['text']}"]
        if options.expanded:
            lines.append(theme.fg("dim", f"{details['words']} words"))
        return lines

    @pi.entry_renderer("card")
    def draw_card(entry: dict[str, Any], options: Any, theme: Any) -> list[str]:
        title = entry["data"]["title"]
        rule = "─" * (len(title) + 2)
        return [f"╭{rule}╮", f"│ {theme.bold(title)} │", f"╰{rule}╯"]
