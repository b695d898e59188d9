"""The versions of the official SDKs that the end-to-end tests drive; the README says the same."""

# The package `openai` of PyPI: the newest of each major, and one from before the majors' common base.
# With each, what it cannot choose right by itself: 1.35 is older than the httpx that it would get.
PYTHON = {
    "1.35.15": ("httpx==0.27.2",),
    "1.109.1": (),
    "2.54.0": (),
    "3.54.0": (),
}
NEWEST_PYTHON = "3.54.0"

# The package `openai` of npm.
NODE = ("4.104.0", "7.57.0")

# The package `azure-ai-agents` of PyPI, the client of Azure's Foundry Agents (classic).
AZURE_AGENTS = "1.1.0"

# What the SDKs depend on is taken as it was on that day, so that a newer package cannot fail an old commit.
EXCLUDE_NEWER = "2026-11-20"
