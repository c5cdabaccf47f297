from pi._speedups._walk import Walker as Walker
