"""The documentation: the reference made from the OpenAPI document, guides, and what each problem means."""
