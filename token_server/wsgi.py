"""What gunicorn imports in each of its processes: `token_server.wsgi:app`."""

import os
from pathlib import Path

from token_server import metrics_folder
from token_server.composition import compose
from token_server.environment import read_settings

_folder = os.environ.get(metrics_folder.VARIABLE)
token_server = compose(read_settings(os.environ), Path(_folder) if _folder else None)
app = token_server.app
