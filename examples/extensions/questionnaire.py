"""Let the model ask the person: several questions, each with choices or free text."""

from typing import TypedDict

from pi.extensions import Context, Pi, ToolFailure, ToolResult

OTHER = "Something else…"


class Question(TypedDict, total=False):
    question: str
    choices: list[str]


def extend(pi: Pi) -> None:
    @pi.tool(
        snippet="ask the user one or more questions",
        guidelines=[
            "Use ask_user when a decision is the user's to make, not for what you can find out."
        ],
        exposure="model-only",
    )
    async def ask_user(questions: list[Question], ctx: Context) -> ToolResult:
        """Ask the user one or more questions and wait for the answers.

        Args:
            questions: Each with a text and, if there are some, the choices.
        """
        if not ctx.has_ui:
            raise ToolFailure("There is nobody to ask: decide yourself, and say what you assumed.")
        answers: list[dict[str, str]] = []
        for number, asked in enumerate(questions, 1):
            title = f"({number}/{len(questions)}) {asked['question']}"
            choices = asked.get("choices") or []
            answer = await ctx.ui.select(title, [*choices, OTHER]) if choices else OTHER
            if answer == OTHER:
                answer = await ctx.ui.input(title)
            if answer is None:
                raise ToolFailure(f"The user did not want to answer: {asked['question']}")
            answers.append({"question": asked["question"], "answer": answer})
        text = "\n".join(f"{a['question']} {a['answer']}" for a in answers)
        return ToolResult([{"type": "text", "text": text}], details={"answers": answers})
