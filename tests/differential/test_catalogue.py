"""One model of each provider and API in the catalogue, asked by the reference and by `pi`.

What is compared is what goes over the wire: the fields and headers that a provider's differences
lead to. The scripted server stands in for all of them.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pi.models.catalogue import catalogue_records, provider_ids
from tests.differential.cases import DONE, READ, Case
from tests.differential.normal import differences
from tests.differential.programs import Program, commands, needs_reference
from tests.scripted_provider import ScriptedProvider

pytestmark = needs_reference

ACCOUNT = {"CLOUDFLARE_ACCOUNT_ID": "account", "CLOUDFLARE_GATEWAY_ID": "gateway"}
CASE = Case(
    [
        {"blocks": [{"thinking": "hm"}, {"text": "Look."}, READ], "stop": "toolUse"},
        DONE,
        {"blocks": [{"text": "more"}]},
    ],
    [
        ["--thinking", "high", "-p", "hi"],
        ["-c", "--thinking", "low", "-t", "read,grep", "-p", "again"],
    ],
    env=ACCOUNT,
)
ELSEWHERE = {
    # The address is part of a token that only GitHub gives out.
    "github-copilot",
    # Its answers are events of its own: tests/providers/test_pi_messages.py.
    "radius",
}
# The output limit near a small window depends on each program's own prompt.
LIMITS = {"max_tokens", "max_completion_tokens", "max_output_tokens", "maxTokens"}


def models() -> Iterator[Any]:
    for provider in provider_ids():
        seen = set()
        for record in catalogue_records(provider):
            if provider not in ELSEWHERE and record["api"] not in seen:
                seen.add(record["api"])
                shipped = {**record, "provider": provider}
                yield pytest.param(shipped, id=f"{provider}-{record['api']}")


@pytest.mark.parametrize("shipped", [*models()])
def test_the_same_requests(tmp_path: Path, shipped: dict[str, Any]) -> None:
    seen = []
    for number, command in enumerate(commands()):
        with ScriptedProvider(list(CASE.turns)) as server:
            env = {**ACCOUNT, "AZURE_OPENAI_BASE_URL": server.base_url("azure-openai-responses")}
            case = Case(CASE.turns, CASE.steps, env=env)
            program = Program(
                command, tmp_path / str(number), server, shipped["api"], case, shipped
            )
            sent = program.seen()["requests"]
        for request in sent:
            for limit in LIMITS & request["body"].keys():
                request["body"][limit] = "<limit>"
        seen.append(sent)
    theirs, ours = seen
    assert len(theirs) == 3
    assert not (found := [*differences(theirs, ours)]), "\n".join(found)
