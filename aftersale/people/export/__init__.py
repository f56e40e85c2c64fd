"""导出: every list as a spreadsheet, safe to open, masked, behind the wall, and written down."""
