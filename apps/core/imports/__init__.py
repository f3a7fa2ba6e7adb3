"""The staged import: read a file, check every row, show what it would do, then write it in one go.

`reading` recognises encoding, delimiter and header; `columns` finds columns by alias and parses cells; a `source`
knows what the rows mean; `engine` stages and applies them. A new kind of file is one more source class.
"""
