"""What figures are made of: looks, panels, sheets, captions."""
