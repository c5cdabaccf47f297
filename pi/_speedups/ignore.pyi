from pi._speedups._ignore import Rules as Rules
