"""httpx without TLS or proxies, for what stands at 127.0.0.1 and is asked again and again.

By itself each `httpx.get` reads all certificate authorities: 20 ms of processor time, 25 times what
the request takes.
"""

import ssl
from functools import partial

import httpx

_NO_AUTHORITIES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

get = partial(httpx.get, verify=_NO_AUTHORITIES, trust_env=False)
post = partial(httpx.post, verify=_NO_AUTHORITIES, trust_env=False)
