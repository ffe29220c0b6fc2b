"""CORE 5: what becomes of one model's predictions, and how good they were.

Joins labels, says which windows are looked at again and what their labels and scores say of the model. Knows no
threshold and no alert: readings go to evaluation, as those of drift do.
"""
