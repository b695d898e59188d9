"""The versions of the official SDKs in the end-to-end tests. The README names the same versions."""

# The package `openai` of PyPI: the newest of each major version, and one from before the code that all of these share.
# Each has the packages whose versions pip would choose wrongly: 1.35 does not work with the newest httpx.
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

# The SDKs' dependencies are the newest of this day, so that a newer package cannot fail an old commit.
EXCLUDE_NEWER = "2026-11-20"
