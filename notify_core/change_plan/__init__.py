"""What a change of the configuration would do, before it is live: pure, of what is handed in.

``ways`` says what a route does with a message of which only the facts are known, ``deciding``
which route that is under one configuration, ``recorded`` holds two configurations against the
deliveries of a journal, ``tried`` against their tests, and ``costs`` says what the difference comes
to. Nothing here reads a file or a journal.
"""
