"""What people look at: pages, charts, the console's summary, drawn samples."""
