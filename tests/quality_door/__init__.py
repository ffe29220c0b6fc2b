"""Labels and quality, proved from outside: a real service, events over its doors, reports and metrics as users see."""
