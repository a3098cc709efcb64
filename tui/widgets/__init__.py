"""The widgets: they put lines of spans on the screen and rewrite only what changed."""
