"""Pages for people: Jinja templates, one stylesheet, texts in English and French.

`render.page` makes a page from a template, `static.served` answers for a file of static/, `language` chooses
between English and French. docs/pages.md says how to add a page.
"""
