"""The environment, and what a `.env` file adds to it."""

from collections.abc import Mapping

from dotenv import dotenv_values

from token_server.settings import Settings


def with_env_file(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment and, where that is silent, what `.env` says.

    TOKEN_SERVER_ENV_FILE names another file.
    """
    from_file = dotenv_values(environ.get("TOKEN_SERVER_ENV_FILE", ".env"))
    return {name: value for name, value in from_file.items() if value is not None} | dict(environ)


def read_settings(environ: Mapping[str, str]) -> Settings:
    """Read the settings from the environment and `.env`.

    Raises:
        SettingsError: With one line for every variable that is missing or wrong.
    """
    return Settings.from_environ(with_env_file(environ))
