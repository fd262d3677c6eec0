"""What WeasyPrint works out anew for every document, kept by a worker from one document to the next.

Returns are alike: the same template, the same styles, the same names of lines and the same small numbers. The library
parses, cascades and shapes them each time as if it saw them first. Here its own functions are asked once, and what they
answered is given again; nothing of it is computed in another way. The bytes that come out are those of the library
left alone, which `tests/reports/test_kept.py` holds for every kind of document. What is kept is bounded.
"""
