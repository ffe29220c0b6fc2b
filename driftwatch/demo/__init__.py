"""The bundled demonstration: New York flights of 2013 through the real pipeline."""
