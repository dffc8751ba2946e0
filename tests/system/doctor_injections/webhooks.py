"""Causes that lie in LiveKit's webhooks: it is configured otherwise, and started again."""

import re
from collections.abc import Mapping
from typing import Any

from tests import plain_http
from tests.processes import free_port, wait_until
from tests.system.doctor_injections.stage import Case, Injection, Stage
from tests.system.doctor_site import Site
from tests.system.doctor_stage import OPERATOR_KEY, OTHER_KEY, OTHER_SECRET, merged


def _configured(site: Site, changes: Mapping[str, Any]) -> Case:
    site.restart_livekit(merged(site.stack.livekit.configuration, changes))
    return Case(site=site)


def _none_configured(stage: Stage) -> Case:
    site = stage.site()
    site.start("web")  # it has counted none
    return _configured(site, {"webhook": {"urls": []}})


def _no_longer(stage: Stage) -> Case:
    site = stage.site().with_web()
    site.stack.token("before")
    wait_until(lambda: _has_counted_one(site), within=10, what="a webhook has come")
    urls = [f"http://127.0.0.1:{free_port()}/webhook"]
    return _configured(site, {"webhook": {"urls": urls}})


def _has_counted_one(site: Site) -> bool:
    headers = {"Authorization": f"Bearer {OPERATOR_KEY}"}
    metrics = plain_http.get(f"{site.stack.web_url}/metrics", headers=headers).data.decode()
    return (
        re.search(r"^token_server_webhooks_received_total [1-9]", metrics, re.MULTILINE) is not None
    )


def _wrong_path(stage: Stage) -> Case:
    site = stage.site()
    site.start("web")
    urls = [f"{site.stack.web_url}/livekit/webhook"]
    return _configured(site, {"webhook": {"urls": urls}})


def _left_out(stage: Stage) -> Case:
    events = ["room_started", "participant_left"]
    changes = {"webhook": {"filter_params": {"include_events": events}}}
    return _configured(stage.site().with_web(), changes)


def _another_key(stage: Stage) -> Case:
    site = stage.site().with_web()
    site.values |= {"YOUR-WEBHOOK-KEY": OTHER_KEY, "YOUR-WEBHOOK-SECRET": OTHER_SECRET}
    return _configured(site, {"keys": {OTHER_KEY: OTHER_SECRET}, "webhook": {"api_key": OTHER_KEY}})


INJECTIONS = (
    Injection("no-webhooks", "no URL is configured", _none_configured, is_frequent=True),
    Injection("webhooks-stopped", "another URL since", _no_longer),
    Injection("webhook-path", "`/livekit/webhook`", _wrong_path),
    Injection("webhooks-left-out", "no `participant_joined`", _left_out),
    Injection("webhook-key", "signed with another key", _another_key),
)
