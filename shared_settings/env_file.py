"""What a `.env` file adds to the environment."""

from collections.abc import Mapping

from dotenv.main import DotEnv


def with_env_file(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment and, where that is silent, what `.env` says.

    TOKEN_SERVER_ENV_FILE names another file.
    """
    path = environ.get("TOKEN_SERVER_ENV_FILE") or ".env"
    # Not dotenv_values: for that one, ${NAME} in the file means the file's NAME first.
    from_file = DotEnv(path, encoding="utf-8", override=False).dict()
    return {name: value for name, value in from_file.items() if value is not None} | dict(environ)
