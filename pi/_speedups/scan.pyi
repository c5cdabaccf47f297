from pi._speedups._scan import search_bytes as search_bytes
from pi._speedups._scan import search_file as search_file
