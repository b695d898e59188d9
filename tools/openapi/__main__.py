"""`python -m local.openapi`: writes `openapi.json` from the code; what `make openapi` runs."""

from tools.openapi import document

if __name__ == "__main__":
    document.DOCUMENT.write_text(document.text(), encoding="utf-8")
