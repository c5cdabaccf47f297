from pi._speedups._names import Names as Names
