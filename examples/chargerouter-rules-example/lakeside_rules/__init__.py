"""The coding rules of Lakeside Family Medicine, an invented practice."""
