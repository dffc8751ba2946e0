"""What gunicorn imports in each of its processes: `token_server.wsgi:app`."""

import os
import warnings
from pathlib import Path

from jwt.warnings import InsecureKeyLengthWarning

from token_server.composition import compose
from token_server.environment import read_settings, tracing_variables
from token_server.telemetry import metrics_folder

# The start has said it (start_warnings.py), once and by the variable's name.
warnings.simplefilter("ignore", InsecureKeyLengthWarning)
_folder = os.environ.get(metrics_folder.VARIABLE)
_tracing = tracing_variables(os.environ)
# OpenTelemetry reads the environment by itself, and knows nothing of `.env`.
os.environ.update(_tracing)
token_server = compose(
    read_settings(os.environ), Path(_folder) if _folder else None, is_traced=bool(_tracing)
)
app = token_server.app
