"""RPC mode: pi as a child process that takes commands on stdin and answers on stdout."""

from pi.modes.rpc.server import run_rpc

__all__ = ["run_rpc"]
