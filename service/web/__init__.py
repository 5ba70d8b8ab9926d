"""All that is said over HTTP.

`server` is the listener with health and metrics; `live` the page's stream; `score_api` scores, with
`bodies` (what comes in), `docs_page` (how to ask), and the pure ones: `score_contracts` (what is
asked and answered), `openapi`, `explain` and `countries`.
"""
