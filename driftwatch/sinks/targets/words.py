"""What to write instead, where a `[[targets]]` table lacks a key or its text has the wrong form."""

from types import MappingProxyType

_REPOSITORY = 'write it as "owner/name"'
_PROJECT = 'write its number or its path, such as "group/name"'
_JOB = 'write its name; on Jenkins its path through folders, such as "folder/name"'

HINTS = MappingProxyType(
    {
        "targets.name": "deliveries are told apart by it",
        "targets.url": "write the address to post to",
        "targets.urls": 'write every instance, such as ["http://alertmanager:9093"]',
        "targets.repository": _REPOSITORY,
        "targets.project": _PROJECT,
        "targets.job": _JOB,
        "targets.username": "write who the token belongs to",
        "targets.actions": "write the actions that it is told of, or leave it out",
    }
)
"""By key: of one that is missing or empty."""

PATTERNS = MappingProxyType(
    {
        "repository": _REPOSITORY,
        "workflow": 'write the name of the workflow\'s file, such as "retrain.yml"',
        "project": _PROJECT,
        "job": _JOB,
        "username": "write it without spaces and colons",
        "source": "write an address or a path without spaces",
    }
)
"""By the last part of a key: of one whose text has another form."""
