"""The live page's files, served as they are by `live`: no build step, nothing from elsewhere."""
