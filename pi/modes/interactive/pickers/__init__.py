"""Panels that take the editor's place to have something chosen, typed or confirmed.

Each gets a `Stage`, what it shows, and `done`, which it calls once with the result; None is "no".
"""
