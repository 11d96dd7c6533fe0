"""pages: what self-contained pages of HTML share: the frame, the style, words."""
