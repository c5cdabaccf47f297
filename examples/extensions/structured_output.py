"""Let a run end with data instead of prose: the last call is the answer.

pi -e structured_output.py --mode json -p "Review src/ and report with final_report"
"""

from typing import Literal, TypedDict

from pi.extensions import Pi, ToolResult


class Finding(TypedDict):
    path: str
    severity: Literal["low", "medium", "high"]
    text: str


def extend(pi: Pi) -> None:
    @pi.tool(
        snippet="give the final answer as data",
        guidelines=["End with one call of final_report, and say nothing after it."],
    )
    def final_report(summary: str, findings: list[Finding]) -> ToolResult:
        """Give the final answer. Call it once, when all is done.

        Args:
            summary: One sentence.
            findings: What was found, the worst first.
        """
        report = {"summary": summary, "findings": findings}
        return ToolResult(
            [{"type": "text", "text": f"Reported {len(findings)} findings."}],
            details=report,
            structured=report,
            terminate=True,  # the model is not asked again
        )
