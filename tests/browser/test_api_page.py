"""The page to try the API, as it is served."""

from playwright.sync_api import Browser, expect

from tests.browser.running_system import RunningSystem


def test_a_token_is_fetched_from_the_page(system: RunningSystem, browser: Browser) -> None:
    """What a frontend's author tries first; nothing on the page breaks its own CSP."""
    context = browser.new_context()
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)

    page.goto(f"{system.page_url}api")
    page.get_by_text("Make a room ready").click()
    page.get_by_role("button", name="Execute").click()

    expect(page.get_by_text('"participant_token"').first).to_be_visible()
    assert [] == complaints
    context.close()
