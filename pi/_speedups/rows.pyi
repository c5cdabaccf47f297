from pi._speedups._rows import TreeRows as TreeRows
