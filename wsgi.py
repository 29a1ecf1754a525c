"""The WSGI application. The only place that knows where the data folders lie."""

import os
from pathlib import Path

from xinheng.app import create_app
from xinheng.settings import Settings

settings = Settings.from_env(os.environ, root=Path(__file__).parent)
app = create_app(settings)
