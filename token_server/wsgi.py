"""What gunicorn imports in each of its processes: `token_server.wsgi:app`."""

import os

from token_server.composition import compose
from token_server.environment import read_settings

token_server = compose(read_settings(os.environ))
app = token_server.app
