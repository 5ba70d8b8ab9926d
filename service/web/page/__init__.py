"""The live page's files, served as they are by `web.live`: no build step, no outside request."""
