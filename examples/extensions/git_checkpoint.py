"""Keep the state of the work tree with each of your prompts, and bring it back with a fork.

`git stash create` makes a commit of what is changed and touches nothing; its id is kept in the
session. Who forks the session at a prompt is asked whether the files are to be as they were then.
"""

from pi.extensions import Context, Pi, SessionBeforeFork, TurnStart

KIND = "git-checkpoint"


def extend(pi: Pi) -> None:
    @pi.on("turn_start")
    async def keep(event: TurnStart, ctx: Context) -> None:
        if event.turn_index != 0:
            return
        made = await pi.exec("git", "stash", "create", "pi checkpoint")
        commit = made.stdout.strip()
        if not made.ok:
            return  # no repository, or none with a commit
        if not commit:  # nothing is changed: the checkpoint is what was committed last
            commit = (await pi.exec("git", "rev-parse", "HEAD")).stdout.strip()
        pi.append_entry(KIND, {"commit": commit, "after": ctx.session.leaf_id})

    @pi.on("session_before_fork")
    async def restore(event: SessionBeforeFork, ctx: Context) -> None:
        kept = ctx.session.kept(KIND, event.entry_id)
        if not kept or not ctx.has_ui:
            return
        commit = kept[-1]["commit"]
        if not await ctx.ui.confirm("Files", "Bring the files back to how they were then, too?"):
            return
        done = await pi.exec("git", "restore", "--source", commit, "--worktree", "--", ".")
        if done.ok:
            ctx.ui.notify(f"The files are as in {commit[:8]}")
        else:
            ctx.ui.notify(f"git could not bring the files back: {done.stderr.strip()}", "error")
