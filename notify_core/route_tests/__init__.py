"""Tests of routes: message examples, and what the configuration must do with them.

``reading`` finds and reads them, ``running`` runs them, ``coverage`` says what they leave untested,
``junit`` writes the results for a CI server, ``pytest_plugin`` collects the same files in pytest.
This module imports nothing: every start of pytest does.
"""
