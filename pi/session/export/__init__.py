"""A session as one HTML page that needs nothing else: no network, no other file.

views.py says what of an entry goes into the page, document.py writes the page, page/ holds the
style and the scripts that show it. The page gets the entries as data and draws those in sight, so
that it opens as quickly for a hundred megabytes as for one.
"""

from pi.session.export.document import Exported, default_name, export_file, export_page
from pi.session.export.views import Draw, Drawn

__all__ = ["Draw", "Drawn", "Exported", "default_name", "export_file", "export_page"]
