"""The catalogue, models.json, and how a pattern becomes a model."""
