"""What a printed report shows, in either language: views, words, charts, the workbook (PURE)."""
