from pi._speedups._search import TreeSearch as TreeSearch
