"""Providers of every kind. `suppliers.ts` is its twin."""

import os

from pi.extensions import OAuth, Pi


def extend(pi: Pi) -> None:
    url = os.environ["SERVER"]
    cost = {"input": 1, "output": 2, "cacheRead": 0, "cacheWrite": 0}

    def model(model_id, **more):
        return {
            "id": model_id,
            "name": model_id,
            "reasoning": False,
            "input": ["text"],
            "cost": cost,
            "contextWindow": 100000,
            "maxTokens": 1000,
            **more,
        }

    def oauth(name, modify=None):
        def sign_in(sign):
            raise NotImplementedError

        async def renew(stored):
            tokens = {"refresh": stored["refresh"] + "+", "access": stored["access"] + "+"}
            return {**tokens, "expires": 4102444800000}

        return OAuth(name, sign_in, renew, lambda stored: "key-of-" + stored["access"], modify)

    claudish = {"base_url": url, "api": "anthropic-messages"}
    openish = {"base_url": url + "/v1", "api": "openai-completions"}
    pi.register_provider("claudish", **claudish, models=[model("c1")], oauth=oauth("Claudish"))
    pi.register_provider("openish", **openish, models=[model("o1")], oauth=oauth("Openish"))
    pi.register_provider(
        "header",
        **claudish,
        api_key="$HEADER_KEY",
        auth_header=True,
        headers={"X-Team": "$TEAM", "X-Plain": "$$5"},
        models=[model("h1", headers={"X-Model": "m"}), model("h2", baseUrl=url + "/other")],
    )
    pi.register_provider("mock", headers={"X-Extra": "extra"})
    pi.register_provider("anthropic", base_url=url + "/proxy")

    async def live(refresh):
        known = (refresh.stored or {}).get("models", [])
        if not refresh.network:
            return known
        models = [model(f"l{len(known) + 1}"), model(refresh.credential["key"])]
        await refresh.store(models, checkedAt=1)
        return models

    pi.register_provider("live", **openish, api_key="live-key", refresh_models=live)

    def planned(models, stored):
        return [each for each in models if each["id"] in stored["models"]]

    pi.register_provider(
        "plan", **openish, models=[model("p1"), model("p2")], oauth=oauth("Plan", planned)
    )

    @pi.command("auth")
    async def auth(provider, ctx):
        found = await ctx.models.auth(provider)
        told = found and {"key": found.api_key, "headers": found.headers}
        pi.append_entry("auth", told)
