"""Advice for the model that depends on the project and on the tools that are on.

Sections and rules are changed, not the whole prompt: what did not change stays cached.
"""

from pi.extensions import BeforeAgentStart, Context, Pi


def extend(pi: Pi) -> None:
    @pi.on("before_agent_start")
    def advise(event: BeforeAgentStart, ctx: Context) -> None:
        options = event.system_prompt_options
        if "bash" in options.selected_tools and (ctx.cwd / "Makefile").is_file():
            options.prompt_guidelines.append(
                "This project has a Makefile: look at its targets before you run bash commands."
            )
        if "edit" not in options.selected_tools and "write" not in options.selected_tools:
            options.prompt_guidelines.append("You cannot change files: describe changes as diffs.")
        if (ctx.cwd / "pyproject.toml").is_file():
            options.sections["language"] = "The project is in Python: mind types and docstrings."
