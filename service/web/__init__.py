"""Everything that is served over HTTP.

`server` listens and serves health and metrics, `live` the live page and its event stream, and
`score_api` scores and explanations. The latter uses `bodies` (reading requests), `docs_page` (the
documentation), and the pure modules `score_contracts` (models of requests and answers), `openapi`,
`explain` and `countries`.
"""
