"""The page's files, wherever they are."""

from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from token_server.http_api.demo_page import create_blueprint


@pytest.fixture
def client(tmp_path: Path) -> FlaskClient:
    """A client of an application whose page is in this folder."""
    app = Flask(__name__, static_folder=None)
    app.register_blueprint(create_blueprint(tmp_path))
    return app.test_client()


def test_a_page_that_is_not_built_is_not_found(client: FlaskClient) -> None:
    """A clone without Node.js still serves tokens."""
    assert 404 == client.get("/").status_code


def test_a_page_that_is_built_is_served_with_its_assets(
    client: FlaskClient, tmp_path: Path
) -> None:
    """As Vite lays them out."""
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("page")
    (tmp_path / "assets" / "x.js").write_text("script")

    with client.get("/") as page, client.get("/assets/x.js") as script:
        assert ("page", "script") == (page.get_data(as_text=True), script.get_data(as_text=True))
