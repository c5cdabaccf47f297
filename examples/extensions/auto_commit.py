"""Commit what the agent changed, after each prompt; `--no-commits` leaves that out for one run.

The first line of the answer becomes the message. Nothing is committed where changes were there
before the prompt: they are the person's.
"""

from pi.extensions import AgentSettled, AgentStart, Context, Pi


def extend(pi: Pi) -> None:
    off = pi.flag("no-commits", "Commit nothing after prompts")
    clean = False

    async def changes(ctx: Context) -> str | None:
        """What git would commit; None where there is no repository."""
        if not any((folder / ".git").exists() for folder in (ctx.cwd, *ctx.cwd.parents)):
            return None
        status = await pi.exec("git", "status", "--porcelain")
        return status.stdout.strip() if status.ok else None

    @pi.on(AgentStart)
    async def before(event: AgentStart, ctx: Context) -> None:
        nonlocal clean
        clean = clean or await changes(ctx) == ""

    @pi.on(AgentSettled)
    async def after(event: AgentSettled, ctx: Context) -> None:
        nonlocal clean
        wanted = clean and not off() and not event.aborted
        clean = False
        if not wanted or not await changes(ctx):
            return
        title = next(iter(ctx.session.answer.strip().splitlines()), "")[:72] or "Work of the agent"
        await pi.exec("git", "add", "--all")
        done = await pi.exec("git", "commit", "--message", title)
        if done.ok:
            ctx.ui.notify(f"Committed: {title}")
        else:
            ctx.ui.notify(f"git commit failed: {done.stderr.strip()}", "warning")
