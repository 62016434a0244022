"""Every setting of the gateway: declared once in `schema`, and read, checked, compared and documented from there.

Pure: text and values in, values and sentences out.
"""
