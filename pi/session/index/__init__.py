"""The session index: what a picker shows of every session, and the full text of what was said.

Derived from the session files and never the truth: it may be deleted, damaged or out of reach, and
every answer is then made from the files themselves.
"""
